# `make sim`, `make sim32`: the simulated board, a program for the PC. Included by the Makefile.

comma := ,
SIM_DIR := $(CURDIR)/boards/sim
SIM_USERMODS = $(if $(wildcard $(CURDIR)/cmodules/*/micropython.mk),USER_C_MODULES=$(CURDIR)/cmodules)
# Mbed TLS lies in MicroPython's lib/mbedtls, as upstream has it, or beside MicroPython.
SIM_MBEDTLS = $(if $(wildcard $(MICROPYTHON_DIR)/lib/mbedtls/library/aes.c),,MBEDTLS_DIR=../mbedtls)
# Steps that must come before: set-up, and what the C modules generate (cmodules/*/*.mk adds here).
SIM_NEEDS ?= $(addprefix $(BUILD)/stamps/,system venv micropython wasm3 mbedtls)

# Two `make` at a time take turns, where there is flock(1).
SIM_LOCK := $(if $(shell command -v flock 2>/dev/null),flock,:)

# $(1): folder under build/, $(2): options. MicroPython's make finds what has changed by itself.
define sim_make
	@mkdir -p $(BUILD)/$(1)/no-micropython-lib && touch $(BUILD)/$(1)/no-micropython-lib/README.md
	@PYTHONPATH=$(CURDIR)/tools python3 -m wg.flash.layout $(BUILD)/$(1)/partition_table.h
	@PYTHONPATH=$(CURDIR)/tools python3 -m wg.release.simulated $(1) $(BUILD)/$(1)/factory_image.h
	@PYTHONPATH=$(CURDIR)/tools $(PY) -m wg.release.trust $(BUILD)/keys/sim $(RELEASE_KEYS)
	@+exec 9>$(BUILD)/$(1)/lock; $(SIM_LOCK) 9; \
	    MICROPY_GIT_TAG=v1.26.1 MICROPY_GIT_HASH=wgdisplay $(MAKE) --no-print-directory -C $(MICROPYTHON_DIR)/ports/unix \
	    VARIANT_DIR=$(SIM_DIR) VARIANT=sim BUILD=$(BUILD)/$(1)/obj FROZEN_MANIFEST=$(SIM_DIR)/manifest.py \
	    MPY_LIB_DIR=$(BUILD)/$(1)/no-micropython-lib MICROPY_MPYCROSS=$(MPY_CROSS) MICROPY_MPYCROSS_DEPENDENCY= \
	    STRIP= $(SIM_USERMODS) $(SIM_MBEDTLS) $(2) >$(BUILD)/$(1)/build.log 2>&1 \
	    || { grep -nE 'error|Error|undefined|\*\*\*' -A3 $(BUILD)/$(1)/build.log | tail -40; \
	         echo "boards/sim: the build failed; the whole log is $(BUILD)/$(1)/build.log" >&2; exit 1; }
	@cmp -s $(BUILD)/$(1)/obj/wgdisplay $(BUILD)/$(1)/wgdisplay || \
	    install -m 755 $(BUILD)/$(1)/obj/wgdisplay $(BUILD)/$(1)/wgdisplay
	@echo "$(BUILD)/$(1)/wgdisplay"
endef

.PHONY: sim
sim: $(SIM_NEEDS) ## The simulated board: build/sim/wgdisplay
	$(call sim_make,sim,)

.PHONY: sim32
sim32: $(SIM_NEEDS) ## The simulated board with the ESP32's word size: build/sim32/wgdisplay
	$(call sim_make,sim32,MICROPY_FORCE_32BIT=1)

# Run it with ASAN_OPTIONS=detect_leaks=0: Python's heap is one block to the sanitizer.
.PHONY: sim-asan
sim-asan: $(SIM_NEEDS) ## The simulated board under ASan and UBSan: build/sim-asan/wgdisplay
	$(call sim_make,sim-asan,COPT='-O1 -DNDEBUG' CFLAGS_EXTRA='-fsanitize=address$(comma)undefined -fno-omit-frame-pointer' \
	    LDFLAGS_EXTRA='-fsanitize=address$(comma)undefined')
