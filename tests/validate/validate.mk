# The validator's test programs, its fuzzing, and the specification's tests. The first can be built with this file
# alone: make -f tests/validate/validate.mk BUILD=build validate-tools

VALIDATE_SRC := cmodules/wasm3_bridge/validate.c
VALIDATE_DEPS := $(VALIDATE_SRC) cmodules/wasm3_bridge/validate.h
VALIDATE_CFLAGS := -std=c11 -O1 -g -Wall -Wextra -Werror -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
    -Wmissing-prototypes -Icmodules/wasm3_bridge
VALIDATE_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
# A clang with libFuzzer: Debian's clang and libclang-rt-dev, of any version.
FUZZ_CC ?= $(firstword $(foreach c,clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14,\
    $(shell command -v $(c) 2>/dev/null)) clang)
SECONDS ?= 20

TEST_NEEDS += $(STAMPS)/spec-tests validate-tools

.PHONY: validate-tools
validate-tools: $(BUILD)/validate/batch $(BUILD)/validate/batch32

$(BUILD)/validate/batch: tests/validate/batch.c $(VALIDATE_DEPS)
	@mkdir -p $(@D)
	@$(CC) $(VALIDATE_CFLAGS) $(VALIDATE_SANITIZE) tests/validate/batch.c $(VALIDATE_SRC) -o $@

$(BUILD)/validate/batch32: tests/validate/batch.c $(VALIDATE_DEPS)
	@mkdir -p $(@D)
	@$(CC) -m32 $(VALIDATE_CFLAGS) $(VALIDATE_SANITIZE) tests/validate/batch.c $(VALIDATE_SRC) -o $@

$(BUILD)/validate/fuzz: tests/validate/fuzz_validate.c $(VALIDATE_DEPS)
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(VALIDATE_CFLAGS) $(VALIDATE_SANITIZE) -fsanitize=fuzzer tests/validate/fuzz_validate.c $(VALIDATE_SRC) -o $@

# The specification's modules are where it starts; what it finds stays in build/validate/corpus for the next
# time. The input of a crash is kept as build/validate/crash-*.
.PHONY: fuzz fuzz-validate
fuzz: fuzz-validate
fuzz-validate: $(BUILD)/validate/fuzz $(BUILD)/validate/.corpus ## Fuzz the validator (libFuzzer); SECONDS=20
	@$(BUILD)/validate/fuzz -max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=2048 -max_len=4096 \
	    -print_final_stats=1 -verbosity=0 -artifact_prefix=$(BUILD)/validate/crash- $(BUILD)/validate/corpus

$(BUILD)/validate/.corpus: tests/validate/fuzz_corpus.py tests/spec/wast.py
	@mkdir -p $(BUILD)/validate/corpus
	@$(PY) tests/validate/fuzz_corpus.py $(BUILD)/validate/corpus
	@touch $@
