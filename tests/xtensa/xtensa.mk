# The board boards/xtensa_qemu: its tools, its firmware, its tests. Included by the Makefile.
#
# CROSS_COMPILE=.../xtensa-esp32s3-elf- takes another compiler for cmodules/ in `make xtensa-check`; it brings its own
# C library. The board is built with ours in any case.

XTENSA := $(BUILD)/xtensa
XTENSA_DIR := $(CURDIR)/boards/xtensa_qemu
XTENSA_ELF := $(BUILD)/xtensa-qemu/wgdisplay.elf

# picolibc hides CLOCK_MONOTONIC from systems that it doesn't know.
XTENSA_BOARD_PREFIX := XTENSA_GNU_CONFIG=$(XTENSA)/dynconfig.so $(XTENSA)/root/usr/bin/xtensa-lx106-elf-
XTENSA_BOARD_CFLAGS := -mabi=windowed -mlongcalls -mtext-section-literals -D_XTENSA_HAVE_CONFIG_CORE_ISA_H=1 \
    -isystem $(XTENSA)/libc/include -isystem $(XTENSA)/include \
    -D_POSIX_MONOTONIC_CLOCK=200112L -D_POSIX_TIMERS=1
XTENSA_PREFIX := $(or $(CROSS_COMPILE),$(XTENSA_BOARD_PREFIX))
XTENSA_CFLAGS := $(if $(CROSS_COMPILE),-mlongcalls,$(XTENSA_BOARD_CFLAGS))

.PHONY: xtensa-tools
xtensa-tools: $(STAMPS)/system $(STAMPS)/venv ## The Xtensa compiler and its libraries, from Debian packages: build/xtensa
	@$(BOOT) wg.xtensa tools $(XTENSA)

# All our C for Xtensa, warnings are errors: as ESP-IDF compiles it (threads, heap capabilities; declarations of its functions
# stand in), and what the board under QEMU adds. MicroPython's headers want its list of names: that of the board's build,
# and the names that only the ESP32's has (names.py).
XTENSA_CHECK := $(BUILD)/xtensa-check
XTENSA_CHECKED := $(filter-out %/fuzz_%,$(wildcard $(CURDIR)/cmodules/*/*.c))
XTENSA_STRICT := -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror
XTENSA_AS_IDF := -DESP_PLATFORM=1 -isystem $(XTENSA_DIR)/idf_headers -isystem $(MICROPYTHON_DIR) -DLFS2_NO_MALLOC
XTENSA_WITH_PYTHON := -Wno-unused-parameter -DMICROPY_PY_THREAD=0 -isystem $(XTENSA_CHECK) -I$(XTENSA_DIR) -isystem $(MICROPYTHON_DIR) \
    -isystem $(BUILD)/xtensa-qemu -DMICROPY_SSL_MBEDTLS=1 -include $(XTENSA_DIR)/idf_headers/board_name.h -isystem $(THIRD_PARTY)/mbedtls/include

.PHONY: xtensa-check
xtensa-check: xtensa-tools $(STAMPS)/wasm3-patched $(STAMPS)/mbedtls xtensa ## All our C compiled for Xtensa as for the ESP32-S3, warnings are errors
	@mkdir -p $(XTENSA_CHECK)/genhdr
	@$(PY) $(CURDIR)/tests/xtensa/names.py $(BUILD)/xtensa-qemu/genhdr $(XTENSA_CHECK)/genhdr $(XTENSA_CHECKED)
	@for file in $(XTENSA_CHECKED); do \
	    flags=; ! grep -q '^#include "py/' $$file || flags="$(XTENSA_WITH_PYTHON)"; \
	    $(XTENSA_PREFIX)gcc $(XTENSA_CFLAGS) $(XTENSA_STRICT) $(XTENSA_AS_IDF) $$flags -isystem $(WASM3_SRC) \
	        -DWG_HAVE_VALIDATE=1 -c $$file -o $(XTENSA_CHECK)/$$(basename $$file .c).o; \
	done
	@for file in $(wildcard $(XTENSA_DIR)/*.c); do \
	    case $$file in */dynconfig.c) continue;; esac; \
	    $(XTENSA_BOARD_PREFIX)gcc $(XTENSA_BOARD_CFLAGS) $(XTENSA_STRICT) $(XTENSA_WITH_PYTHON) \
	        -isystem $(XTENSA_DIR)/idf_headers -c $$file -o $(XTENSA_CHECK)/$$(basename $$file .c).o; \
	done
	@echo "wg: $(words $(XTENSA_CHECKED)) files of cmodules and the board's compiled for Xtensa without a warning"

# The command that starts the board, with the simulated board's options (tools/wg/xtensa/board.py).
$(BUILD)/xtensa-qemu/wgdisplay: $(CURDIR)/tests/xtensa/xtensa.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s -m wg.xtensa.board "$$@"\n' $(PY) >$@
	@chmod +x $@

.PHONY: xtensa
xtensa: xtensa-tools $(STAMPS)/micropython $(STAMPS)/wasm3-patched $(FONTS_STAMP) $(ROOTS_STAMP) $(ZONES_STAMP) \
        $(BUILD)/xtensa-qemu/wgdisplay ## MicroPython, the engine and the firmware for Xtensa under QEMU
	@mkdir -p $(BUILD)/xtensa-qemu/no-micropython-lib && touch $(BUILD)/xtensa-qemu/no-micropython-lib/README.md
	@+MICROPY_GIT_TAG=v1.26.1 MICROPY_GIT_HASH=wgdisplay XTENSA_GNU_CONFIG=$(XTENSA)/dynconfig.so \
	    $(MAKE) --no-print-directory -C $(XTENSA_DIR) TOP=$(MICROPYTHON_DIR) BUILD=$(BUILD)/xtensa-qemu \
	    CROSS_COMPILE=$(XTENSA)/root/usr/bin/xtensa-lx106-elf- USER_C_MODULES=$(CURDIR)/cmodules \
	    MPY_LIB_DIR=$(BUILD)/xtensa-qemu/no-micropython-lib MICROPY_MPYCROSS=$(MPY_CROSS) MICROPY_MPYCROSS_DEPENDENCY= \
	    XTENSA_CFLAGS="$(XTENSA_BOARD_CFLAGS)" XTENSA_LIBS="$(addprefix $(XTENSA)/,libc/lib/libc.a libc/lib/libm.a libgcc.a)" \
	    >$(BUILD)/xtensa-qemu/build.log 2>&1 \
	    || { grep -nE 'error|Error|undefined|\*\*\*' -A3 $(BUILD)/xtensa-qemu/build.log | tail -40; \
	         echo "boards/xtensa_qemu: the build failed; the whole log is $(BUILD)/xtensa-qemu/build.log" >&2; exit 1; }
	@echo "$(XTENSA_ELF)"

# All of it: what `make test` runs of it, and what takes longer.
.PHONY: test-xtensa
test-xtensa: setup xtensa xtensa-check engine-modules widgets ## All tests of the Xtensa board, under QEMU
	@$(if $(PYTEST_ARGS),,$(PY) $(CURDIR)/tests/xtensa/results.py ||) \
	    WG_XTENSA_TOTAL=1 $(if $(PYTEST_ARGS),,WG_XTENSA_WHOLE=1) \
	    $(PY) -m pytest $(CURDIR)/tests/xtensa -m "slow or not slow" -n $(TEST_JOBS) --dist loadscope $(PYTEST_ARGS)

# What it passed with the same inputs, `make test` does not run again.
test: export WG_XTENSA_ONCE := 1
TEST_NEEDS += xtensa-told
.PHONY: xtensa-told
xtensa-told: xtensa engine-modules widgets
	@$(PY) $(CURDIR)/tests/xtensa/results.py || true

TEST_NEEDS += xtensa xtensa-check
