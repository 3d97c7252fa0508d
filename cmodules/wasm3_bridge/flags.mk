# What every make build of the engine shares: wasm3's files and the flags of its objects.

WG_WASM3_NAMES := bind code compile core emit env exec function info module parse validate

# -O3 and tail calls: without them each wasm instruction would nest a native frame.
WG_WASM3_OPT ?= -O3
WG_WASM3_CFLAGS = -std=gnu11 $(WG_WASM3_OPT) -foptimize-sibling-calls -fomit-frame-pointer -fno-strict-aliasing -fwrapv -fno-math-errno \
    -ffunction-sections -fdata-sections \
    -Wall -Wno-unused-variable -Wno-unused-function -Wno-strict-aliasing \
    $(WG_WASM3_DEFINES)

# The same limits on every board; 0.9.0's own guard of the native stack gives way to the patches'.
WG_WASM3_DEFINES = -Dd_m3MaxFunctionStackHeight=2000 -Dd_m3MaxConstantTableSize=120 \
    -Dd_m3VerboseErrorMessages=0 -Dd_m3CodePageAlignSize=4096 -Dd_m3MaxNativeStack=0

# What selects the machine: taken from the build's own CFLAGS. On x86-32, SSE2 instead of the x87, whose 80-bit
# registers round twice and change NaNs.
WG_MACHINE_CFLAGS ?= $(filter -m% --target=% -fsanitize=%,$(CFLAGS)) \
    $(if $(filter -m32,$(CC) $(CFLAGS)),-msse2 -mfpmath=sse)

# m3_exec.c holds the opcode handlers, each of which must end in a jump: looked at in the object. wasm3 without our
# patches has them in other files, too, as calls.
WG_HANDLERS_UNIT = $(shell grep -ls d_m3DefineOps $(WASM3_SRC)/m3_exec.c)
# On Xtensa they are call0 code in a program of the windowed ABI (xtensa/ways.S). The assembler's note of the ABI is that
# of the program, or the linker would warn; calls go no further than to the ways out beside them.
WG_XTENSA := $(findstring xtensa,$(shell $(CC) -dumpmachine))
WG_WAYS = $(if $(and $(WG_XTENSA),$(WG_HANDLERS_UNIT)),$(WG_ENGINE_DIR)/xtensa/ways.S)
WG_CALL0_CFLAGS = -mabi=call0 -Wa,--abi-windowed -mno-longcalls -include $(WG_ENGINE_DIR)/xtensa/handlers.h
# On a PC each handler has cache lines of its own: the jumps of two in one are predicted as if they were the same, which
# made CRC-32 twice as slow.
WG_HANDLERS_CFLAGS = $(if $(WG_HANDLERS_UNIT),$(if $(WG_XTENSA),$(WG_CALL0_CFLAGS),-falign-functions=64))
WG_HANDLERS_NEEDS := $(wildcard $(WG_ENGINE_DIR)/xtensa/*.h $(WG_ENGINE_DIR)/xtensa/*.inc) $(WG_ENGINE_DIR)/check_handlers.py
# $(1): the compiler, $(2): the objects
wg_check_handlers = $(if $(WG_HANDLERS_UNIT),$(PYTHON) -B $(WG_ENGINE_DIR)/check_handlers.py $$($(1) -print-prog-name=objdump) $(2),true)

# What engine.c must agree on with wasm3's objects.
WG_ENGINE_CFLAGS = $(WG_WASM3_DEFINES)
ifneq ($(wildcard $(WG_ENGINE_DIR)/validate.c),)
WG_ENGINE_CFLAGS += -DWG_HAVE_VALIDATE=1
endif
