// The simulated board: MicroPython's unix port, configured as the ESP32 port is.
//
// What differs from the ESP32 (ports/esp32/mpconfigport.h) and why:
// - `machine`, `network` and `esp32` are frozen Python modules of boards/sim/modules over `_simhw`;
// - the epoch is 1970 (the unix port insists on it), the ESP32's is 2000;
// - no split heap: the heap is one block of the size that --heap gives.

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_HW_BOARD_NAME "WG Display simulated board (ESP32-S3-BOX-3)"
#define MICROPY_HW_MCU_NAME "ESP32S3-like PC"
#if __SIZEOF_POINTER__ == 4
#define WG_BOARD "sim32"
#else
#define WG_BOARD "sim"
#endif
#define MICROPY_PY_SYS_PLATFORM "esp32"
#define MICROPY_PY_SYS_PATH_DEFAULT ".frozen"

// Numbers: single floats as on the ESP32, long integers.
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_FLOAT_USE_NATIVE_FLT16 (0)
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)

// Threads: a fair global lock (threads.c), passed on after some microseconds of byte code. Handing
// it over costs about as much as 1000 byte codes, hence not the ESP32's 32.
#define MICROPY_PY_THREAD_GIL_VM_DIVISOR (1000)
#define MICROPY_ASYNC_KBD_INTR (0)
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)

#define MICROPY_STREAMS_POSIX_API (1)
#define MICROPY_USE_INTERNAL_ERRNO (0)
#define MICROPY_ERROR_REPORTING (MICROPY_ERROR_REPORTING_NORMAL)
#define MICROPY_WARNINGS (1)
#define MICROPY_OPT_COMPUTED_GOTO (1)
#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_PY_STR_BYTES_CMP_WARN (1)
#define MICROPY_PY_ALL_INPLACE_SPECIAL_METHODS (1)
#define MICROPY_PY_IO_BUFFEREDWRITER (1)

#define MICROPY_PY_OS_DUPTERM (0)
#define MICROPY_PY_OS_INCLUDEFILE "ports/unix/modos.c"
#define MICROPY_PY_OS_SYNC (1)
#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_OS_URANDOM (1)
#define MICROPY_PY_OS_GETENV_PUTENV_UNSETENV (0)
#define MICROPY_PY_OS_SYSTEM (0)
#define MICROPY_PY_OS_ERRNO (0)

#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_INCLUDEFILE "modtime.inc"

#define MICROPY_PY_HASHLIB_MD5 (1)
#define MICROPY_PY_HASHLIB_SHA1 (1)
#define MICROPY_PY_HASHLIB_SHA256 (1)
#define MICROPY_PY_CRYPTOLIB (1)
#define MICROPY_PY_WEBSOCKET (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (mp_random_seed_init())
#define MICROPY_PY_SELECT_POSIX_OPTIMISATIONS (1)
#define MICROPY_PY_SELECT_SELECT (0)

// `machine` is modules/machine.py.
#define MICROPY_PY_MACHINE (0)

#define MICROPY_VFS_ROM (1)
#define MICROPY_VFS_ROM_IOCTL (0)
