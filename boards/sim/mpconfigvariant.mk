# Read by ports/unix/Makefile; see boards/sim/sim.mk for how it is called.

PROG := wgdisplay
COPT := -O2 -DNDEBUG
MICROPY_PY_THREAD_GIL := 1
MICROPY_PY_BTREE := 0
MICROPY_PY_FFI := 0
MICROPY_PY_TERMIOS := 0
MICROPY_VFS_LFS1 := 0
# Command-line-style precedence: mpconfigport.mk, read before, and the Makefile, read after, set these too.

# Our mphalport.h and mpthreadport.h come before the port's.
INC += -I$(VARIANT_DIR) -I$(dir $(BUILD))

# Our main.c, console.c and threads.c take the places of the port's main.c, unix_mphal.c and
# mpthreadport.c. The override makes the Makefile's own list ineffective.
override SRC_C := gccollect.c alloc.c fatfs_port.c modsocket.c $(wildcard $(VARIANT_DIR)/*.c)

SHARED_SRC_C_EXTRA += runtime/pyexec.c runtime/sys_stdio_mphal.c

# sys.stdin and sys.stdout are the console's (sys_stdio_mphal.c), as on a bare board; the host file
# system's own objects of these names step aside.
$(BUILD)/extmod/vfs_posix_file.o: CFLAGS += $(foreach n,stdin stdout stderr,\
    -Dmp_sys_$(n)_obj=posix_sys_$(n)_obj -Dmp_sys_$(n)_buffer_obj=posix_sys_$(n)_buffer_obj)

# Overlays of images in a slot come before the frozen modules (bootloader.c).
LDFLAGS += -Wl,--wrap=mp_find_frozen_module

# Certificates are judged by the board's clock, not by the PC's.
LDFLAGS += -Wl,--wrap=time
