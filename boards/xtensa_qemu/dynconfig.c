// Describes QEMU's core de233_fpu to GCC and binutils: loaded by them through XTENSA_GNU_CONFIG.
//
// It gives the lists of xtensa-dynconfig.h (binutils) their values from the core's core-isa.h, and
// carries the core's instruction tables (QEMU). Both come from their packages at build time;
// nothing of them is here.

#include "ansidecl.h"
#include "core-isa.h"

// The ESP32-S3 has single precision only.
#undef XCHAL_HAVE_DFP
#undef XCHAL_HAVE_DFP_DIV
#undef XCHAL_HAVE_DFP_RECIP
#undef XCHAL_HAVE_DFP_SQRT
#undef XCHAL_HAVE_DFP_RSQRT
#define XCHAL_HAVE_DFP 0
#define XCHAL_HAVE_DFP_DIV 0
#define XCHAL_HAVE_DFP_RECIP 0
#define XCHAL_HAVE_DFP_SQRT 0
#define XCHAL_HAVE_DFP_RSQRT 0

// What core-isa.h leaves to xtensa-config.h.
#define XSHAL_USE_ABSOLUTE_LITERALS 0
#define XSHAL_HAVE_TEXT_SECTION_LITERALS 1
#define XTHAL_ABI_WINDOWED 0
#define XTHAL_ABI_CALL0 1
#define XSHAL_ABI XTHAL_ABI_WINDOWED
#define XCHAL_HAVE_MMU 1
#define XCHAL_MMU_MIN_PTE_PAGE_SIZE 12
#define XCHAL_M_STAGE 0
#define XTENSA_MARCH_LATEST XCHAL_HW_MAX_VERSION
#define XTENSA_MARCH_EARLIEST XCHAL_HW_MIN_VERSION

#define XTENSA_CONFIG_DEFINITION
#include "xtensa-dynconfig.h"

// GCC loads nothing without it. This file is built into a plug-in on the developer's machine only.
int plugin_is_GPL_compatible;

XTENSA_CONFIG_INSTANCE_LIST;

// The macros that GCC predefines in every compilation.
#define TEXT_OF(value) #value
#define VALUE(value) TEXT_OF(value)
#undef XTENSA_CONFIG_ENTRY
#define XTENSA_CONFIG_ENTRY(name) "__" #name "=" VALUE(name)

const char *const xtensa_config_strings[] = {
    XTENSA_CONFIG_ENTRY_LIST,
    0,
};

#include "xtensa-modules.c.inc"
