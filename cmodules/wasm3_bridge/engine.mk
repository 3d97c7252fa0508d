# The engine alone, without MicroPython: its C tests under the sanitizers. Included by the Makefile.

WG_ENGINE_DIR := $(CURDIR)/cmodules/wasm3_bridge
include $(WG_ENGINE_DIR)/flags.mk

ENGINE_BUILD ?= $(BUILD)/engine
ENGINE_MODULES := $(ENGINE_BUILD)/modules
ENGINE_SOURCES := $(wildcard $(addprefix $(WG_ENGINE_DIR)/,engine.c module.c heap.c task.c validate.c))
ENGINE_TEST := $(CURDIR)/tests/engine/c/test_engine.c
ENGINE_WASM3 = $(foreach n,$(WG_WASM3_NAMES),$(wildcard $(WASM3_SRC)/m3_$(n).c))
ENGINE_WAT := $(wildcard $(CURDIR)/tests/engine/modules/*.wat)

# The test modules, assembled.
$(ENGINE_MODULES)/.stamp: $(ENGINE_WAT) $(CURDIR)/tests/engine/assemble.mjs | $(STAMPS)/node
	@mkdir -p $(@D)
	@rm -f $(@D)/*.wasm
	@node $(CURDIR)/tests/engine/assemble.mjs $(CURDIR)/tests/engine/modules $(@D)
	@touch $@

.PHONY: engine-modules
engine-modules: $(ENGINE_MODULES)/.stamp

# $(1): name, $(2): compiler and its flags for everything
define engine_test
$(ENGINE_BUILD)/test-$(1): $(ENGINE_SOURCES) $(wildcard $(WG_ENGINE_DIR)/*.h) $(ENGINE_TEST) $(STAMPS)/wasm3-patched
	@mkdir -p $(ENGINE_BUILD)/$(1)
	@cd $(ENGINE_BUILD)/$(1) && $(2) $$(WG_WASM3_CFLAGS) -Wno-maybe-uninitialized -g -c $$(ENGINE_WASM3)
	@$$(call wg_check_handlers,$(firstword $(2)),$(ENGINE_BUILD)/$(1)/m3_exec.o)
	@cd $(ENGINE_BUILD)/$(1) && $(2) -std=gnu11 -O1 -g -Wall -Wextra -Werror $$(WG_ENGINE_CFLAGS) -isystem $$(WASM3_SRC) \
	    -I$(WG_ENGINE_DIR) -c $(ENGINE_SOURCES) $(ENGINE_TEST)
	@$(2) -o $$@ $(ENGINE_BUILD)/$(1)/*.o -lpthread -lm

.PHONY: engine-$(1)
engine-$(1): $(ENGINE_BUILD)/test-$(1) $(ENGINE_MODULES)/.stamp
	@timeout 300 $(ENGINE_BUILD)/test-$(1) $(ENGINE_MODULES)
endef

# Shifts of LEB128 sums and unaligned code words are wasm3's way; our own files have no such excuse, but share objects.
ENGINE_UBSAN := -fsanitize=undefined -fno-sanitize-recover=all

$(eval $(call engine_test,plain,$(CC)))
$(eval $(call engine_test,asan,$(CC) -fsanitize=address $(ENGINE_UBSAN)))
$(eval $(call engine_test,tsan,$(CC) -fsanitize=thread))
$(eval $(call engine_test,plain32,$(CC) -m32 -msse2 -mfpmath=sse))

# Any modules through the sanitized engine: make engine-run MODULES="a.wasm b.wasm"
MODULES ?= $(wildcard $(ENGINE_MODULES)/*.wasm)

# There each operation counts as a unit, so that runs are suspended before each.
ENGINE_EACH := -Dd_m3MaxUncounted=1
ENGINE_RUN_CC = $(CC) -fsanitize=address $(ENGINE_UBSAN) -g

$(ENGINE_BUILD)/run_modules: $(ENGINE_SOURCES) $(wildcard $(WG_ENGINE_DIR)/*.h) $(STAMPS)/wasm3-patched \
        $(CURDIR)/tests/engine/c/run_modules.c $(CURDIR)/tests/engine/c/exercise.h
	@mkdir -p $(ENGINE_BUILD)/run
	@cd $(ENGINE_BUILD)/run && $(ENGINE_RUN_CC) $(WG_WASM3_CFLAGS) -Wno-maybe-uninitialized $(ENGINE_EACH) -c $(ENGINE_WASM3)
	@cd $(ENGINE_BUILD)/run && $(ENGINE_RUN_CC) -std=gnu11 -O1 -Wall -Wextra -Werror $(WG_ENGINE_CFLAGS) -isystem $(WASM3_SRC) \
	    -I$(WG_ENGINE_DIR) -c $(ENGINE_SOURCES) $(CURDIR)/tests/engine/c/run_modules.c
	@$(ENGINE_RUN_CC) -o $@ $(ENGINE_BUILD)/run/*.o -lpthread -lm

.PHONY: engine-run
engine-run: $(ENGINE_BUILD)/run_modules $(ENGINE_MODULES)/.stamp
	@timeout 300 $(ENGINE_BUILD)/run_modules $(MODULES)

# Any bytes as a module, by libFuzzer, from the modules of the specification's tests and ours. What it finds stays in
# build/engine/corpus for the next time; the input of a crash is kept as build/engine/crash-*.
ENGINE_FUZZ := $(ENGINE_BUILD)/fuzz
ENGINE_FUZZ_CC = $(FUZZ_CC) -fsanitize=address,fuzzer-no-link $(ENGINE_UBSAN)

$(ENGINE_FUZZ): $(ENGINE_SOURCES) $(wildcard $(WG_ENGINE_DIR)/*.h $(CURDIR)/tests/engine/c/*.h) \
        $(CURDIR)/tests/engine/c/fuzz_engine.c $(STAMPS)/wasm3-patched
	@mkdir -p $(ENGINE_BUILD)/fuzz-objects
	@cd $(ENGINE_BUILD)/fuzz-objects && $(ENGINE_FUZZ_CC) $(WG_WASM3_CFLAGS) -w -O2 -g $(ENGINE_EACH) -c $(ENGINE_WASM3)
	@cd $(ENGINE_BUILD)/fuzz-objects && $(ENGINE_FUZZ_CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror $(WG_ENGINE_CFLAGS) \
	    -isystem $(WASM3_SRC) -I$(WG_ENGINE_DIR) -c $(ENGINE_SOURCES) $(CURDIR)/tests/engine/c/fuzz_engine.c
	@$(FUZZ_CC) -fsanitize=address,undefined,fuzzer -o $@ $(ENGINE_BUILD)/fuzz-objects/*.o -lpthread -lm

$(ENGINE_BUILD)/corpus/.stamp: $(ENGINE_MODULES)/.stamp $(CURDIR)/tests/validate/fuzz_corpus.py $(STAMPS)/spec-tests
	@mkdir -p $(@D)
	@$(PY) $(CURDIR)/tests/validate/fuzz_corpus.py $(@D) >/dev/null
	@cp $(ENGINE_MODULES)/*.wasm $(@D)
	@touch $@

.PHONY: fuzz fuzz-engine
fuzz: fuzz-engine
fuzz-engine: $(ENGINE_FUZZ) $(ENGINE_BUILD)/corpus/.stamp ## Fuzz the engine: load, run with quotas, reset (libFuzzer); SECONDS=20
	@$(ENGINE_FUZZ) -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
	    -print_final_stats=1 -verbosity=0 -artifact_prefix=$(ENGINE_BUILD)/crash- $(ENGINE_BUILD)/corpus

.PHONY: engine-test
engine-test: engine-plain engine-plain32 engine-asan engine-run engine-tsan ## The engine's C tests, with and without sanitizers

TEST_NEEDS += engine-modules engine-test
