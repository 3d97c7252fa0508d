# What every make build of the engine shares: wasm3's files and the flags of its objects.

WG_WASM3_NAMES := bind code compile core emit env exec function info module parse validate

# -O3 and tail calls: without them each wasm instruction would nest a native frame.
WG_WASM3_OPT ?= -O3
WG_WASM3_CFLAGS = -std=gnu11 $(WG_WASM3_OPT) -foptimize-sibling-calls -fomit-frame-pointer -fno-strict-aliasing -fwrapv -fno-math-errno \
    -ffunction-sections -fdata-sections \
    -Wall -Wno-unused-variable -Wno-unused-function -Wno-strict-aliasing \
    $(WG_WASM3_DEFINES)

# The same limits on every board; 0.9.0's own guard of the native stack gives way to the patches'. Names: the fourth export name of Rust's merged post-return would be lost with 3.
WG_WASM3_DEFINES = -Dd_m3MaxDuplicateFunctionImpl=8 -Dd_m3MaxFunctionStackHeight=2000 \
    -Dd_m3MaxConstantTableSize=120 -Dd_m3VerboseErrorMessages=0 -Dd_m3CodePageAlignSize=4096 -Dd_m3MaxNativeStack=0

# What selects the machine: taken from the build's own CFLAGS. On x86-32, SSE2 instead of the x87, whose 80-bit
# registers round twice and change NaNs.
WG_MACHINE_CFLAGS ?= $(filter -m% --target=% -fsanitize=%,$(CFLAGS)) \
    $(if $(filter -m32,$(CC) $(CFLAGS)),-msse2 -mfpmath=sse)

# What engine.c must agree on with wasm3's objects.
WG_ENGINE_CFLAGS = $(WG_WASM3_DEFINES)
ifneq ($(wildcard $(WG_ENGINE_DIR)/validate.c),)
WG_ENGINE_CFLAGS += -DWG_HAVE_VALIDATE=1
endif
