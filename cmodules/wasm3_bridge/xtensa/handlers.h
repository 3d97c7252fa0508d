/*
 * Before all else in m3_exec.c on Xtensa, which is compiled for the call0 ABI in a program of the
 * windowed one (flags.mk, micropython.cmake): there a handler can end in a jump to the next, here
 * each would be a call.
 */
#ifndef WG_XTENSA_HANDLERS_H
#define WG_XTENSA_HANDLERS_H

#if !defined(__XTENSA_CALL0_ABI__)
#error "the handlers of wasm3 must be compiled with -mabi=call0"
#endif

/*
 * Two of the values that all handlers pass on stay in registers that nothing else uses, so that the
 * other three have room in the six for arguments: pc in a2, the integer register in a4:a5, the
 * floating-point one in a6:a7. Functions of the call0 ABI keep a12-a15, and the ways out do.
 */
#define d_m3SpRegister "a14"
#define d_m3MemRegister "a15"

/* m3_EnterCode is in ways.S. */
#define d_m3EnterCodeElsewhere 1

/*
 * Does the core access unaligned words? That of the ESP32-S3 does. For others the address is
 * tested; the core knows itself. A build can say otherwise.
 */
#if !defined(d_m3UnalignedAccess) && !defined(d_m3TestAlignment)
#include <xtensa/config/core-isa.h>
#if XCHAL_UNALIGNED_LOAD_HW && XCHAL_UNALIGNED_STORE_HW
#define d_m3UnalignedAccess 1
#else
#define d_m3TestAlignment 1
#endif
#endif

/* A call of F in this unit is one of call0_F. */
#define CALL(F) __asm__(".set " #F ", call0_" #F);
#include "calls.inc"
#undef CALL

#endif
