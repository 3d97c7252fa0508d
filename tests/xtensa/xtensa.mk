# The board boards/xtensa_qemu: its tools, its firmware, its tests. Included by the Makefile; no part of `make test`.
#
# CROSS_COMPILE=.../xtensa-esp32s3-elf- takes another compiler for `make xtensa-check`; it brings its own libraries.

XTENSA := $(BUILD)/xtensa
XTENSA_DIR := $(CURDIR)/boards/xtensa_qemu
XTENSA_ELF := $(BUILD)/xtensa-qemu/wgdisplay.elf

ifeq ($(CROSS_COMPILE),)
XTENSA_PREFIX := XTENSA_GNU_CONFIG=$(XTENSA)/dynconfig.so $(XTENSA)/root/usr/bin/xtensa-lx106-elf-
# picolibc hides CLOCK_MONOTONIC from systems that it doesn't know. The compiler has no thread-local memory, the board no threads.
XTENSA_CFLAGS := -mabi=windowed -mlongcalls -mtext-section-literals -D_XTENSA_HAVE_CONFIG_CORE_ISA_H=1 \
    -isystem $(XTENSA)/libc/include -isystem $(XTENSA)/include \
    -D_POSIX_MONOTONIC_CLOCK=200112L -D_POSIX_TIMERS=1 -D_Thread_local=
XTENSA_NEEDS := xtensa-tools
else
XTENSA_PREFIX := $(CROSS_COMPILE)
XTENSA_CFLAGS := -mlongcalls
XTENSA_NEEDS :=
endif

.PHONY: xtensa-tools
xtensa-tools: $(STAMPS)/system $(STAMPS)/venv ## The Xtensa compiler and its libraries, from Debian packages: build/xtensa
	@$(BOOT) wg.xtensa tools $(XTENSA)

# Without MicroPython: what needs its headers is compiled by `make xtensa`. task.c needs threads.
XTENSA_CHECKED := $(filter-out %/task.c %/modwasm3.c %/buffer.c %/modpixels.c %/modwgrelease.c,$(wildcard $(CURDIR)/cmodules/*/*.c)) $(XTENSA_DIR)/console.c

.PHONY: xtensa-check
xtensa-check: $(XTENSA_NEEDS) $(STAMPS)/wasm3-patched ## Our C compiled for Xtensa, warnings are errors
	@mkdir -p $(BUILD)/xtensa-check
	@for file in $(XTENSA_CHECKED); do \
	    $(XTENSA_PREFIX)gcc $(XTENSA_CFLAGS) -std=gnu11 -O2 -Wall -Wextra -Werror -isystem $(WASM3_SRC) -I$(XTENSA_DIR) \
	        -Dd_m3MaxDuplicateFunctionImpl=8 -DWG_HAVE_VALIDATE=1 -c $$file -o $(BUILD)/xtensa-check/$$(basename $$file .c).o; \
	done
	@echo "wg: $(words $(XTENSA_CHECKED)) files compiled for Xtensa without a warning"

.PHONY: xtensa
xtensa: xtensa-tools $(STAMPS)/micropython $(STAMPS)/wasm3-patched ## MicroPython and the engine for Xtensa under QEMU
	@mkdir -p $(BUILD)/xtensa-qemu/no-micropython-lib && touch $(BUILD)/xtensa-qemu/no-micropython-lib/README.md
	@+MICROPY_GIT_TAG=v1.26.1 MICROPY_GIT_HASH=wgdisplay XTENSA_GNU_CONFIG=$(XTENSA)/dynconfig.so \
	    $(MAKE) --no-print-directory -C $(XTENSA_DIR) TOP=$(MICROPYTHON_DIR) BUILD=$(BUILD)/xtensa-qemu \
	    CROSS_COMPILE=$(XTENSA)/root/usr/bin/xtensa-lx106-elf- USER_C_MODULES=$(CURDIR)/cmodules \
	    MPY_LIB_DIR=$(BUILD)/xtensa-qemu/no-micropython-lib MICROPY_MPYCROSS=$(MPY_CROSS) MICROPY_MPYCROSS_DEPENDENCY= \
	    XTENSA_CFLAGS="$(XTENSA_CFLAGS)" XTENSA_LIBS="$(addprefix $(XTENSA)/,libc/lib/libc.a libc/lib/libm.a libgcc.a)" \
	    >$(BUILD)/xtensa-qemu/build.log 2>&1 \
	    || { grep -nE 'error|Error|undefined|\*\*\*' -A3 $(BUILD)/xtensa-qemu/build.log | tail -40; \
	         echo "boards/xtensa_qemu: the build failed; the whole log is $(BUILD)/xtensa-qemu/build.log" >&2; exit 1; }
	@echo "$(XTENSA_ELF)"

.PHONY: test-xtensa
test-xtensa: xtensa engine-modules ## MicroPython's tests and the engine's on Xtensa under QEMU
	@$(PY) $(CURDIR)/tests/xtensa/run.py $(XTENSA_ELF) $(MICROPYTHON_DIR)/tests $(ENGINE_MODULES)
