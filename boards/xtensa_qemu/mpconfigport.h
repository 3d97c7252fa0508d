// MicroPython on the Xtensa instruction set, with what the ESP32-S3's port has and QEMU can give.
#include <alloca.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_HW_BOARD_NAME "Xtensa under QEMU"
#define MICROPY_HW_MCU_NAME "de233_fpu"
#define MICROPY_PY_SYS_PLATFORM "xtensa_qemu"

// As on the ESP32.
#define MICROPY_EMIT_XTENSAWIN (1)
#define MICROPY_NLR_SETJMP (1)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_ENABLE_GC (1)
#define MICROPY_STACK_CHECK_MARGIN (1024)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_ENABLE_FINALISER (1)
#define MICROPY_WARNINGS (1)
#define MICROPY_VFS (1)
#define MICROPY_READER_VFS (1)
#define MICROPY_PY_SYS_STDIO_BUFFER (0)
#define MICROPY_PY_MACHINE (0)
#define MICROPY_PY_OS_STATVFS (1)
#define MICROPY_PY_OS_URANDOM (1)
#define MICROPY_PY_OS_INCLUDEFILE "modos.inc"
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_INCLUDEFILE "modtime.inc"
#define MICROPY_PY_HASHLIB_SHA256 (1)
#define MICROPY_KBD_EXCEPTION (1)
// Input is looked at there.
#define MICROPY_INTERNAL_WFE(timeout_ms) threads_wait_for_tick()
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_USE_INTERNAL_PRINTF (0)
#define MICROPY_ENABLE_SOURCE_LINE (1)
#define MICROPY_ERROR_REPORTING (MICROPY_ERROR_REPORTING_NORMAL)
#define MICROPY_EPOCH_IS_2000 (1)

void threads_wait_for_tick(void);

typedef int32_t mp_int_t;
typedef uint32_t mp_uint_t;
typedef long mp_off_t;
#define MP_SSIZE_MAX (0x7fffffff)

#define MP_STATE_PORT MP_STATE_VM
