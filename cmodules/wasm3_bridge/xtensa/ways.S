// The way into wasm3's handlers and the ways out. The handlers are compiled for the call0 ABI; all else is of the
// windowed one.
//
// What holds while handlers run:
//
// 1. They are one register window. Its a0-a15 are theirs by the rules of the call0 ABI, and a1 moves as these say.
// 2. No other window is in the registers but those of calls out that have not returned. Nobody will write to the 16
//    bytes below a1, or read them, as a save area of this window's caller.
//
// Interrupts and task switches save the registers of a window as they find them, and write other windows to memory only
// if they are in the registers: they need to know nothing of this.

// The 16 bytes below the stack pointer, where a window's overflow writes a0-a3 of its caller.
#define SAVE_AREA 16

    .section .text.m3_EnterCode, "ax"

// m3ret_t m3_EnterCode(pc_t pc, m3stack_t sp, M3MemoryHeader *mem)
//
// Its caller's a0-a3 lie in the save area once the windows are spilled, and the last `retw` takes them from there. So:
// - spill before a1 moves: a window that is written later would go to where a1 is then;
// - lower a1 by the save area before any handler makes a frame there.
    .align 4
    .literal_position
    .global m3_EnterCode
    .type m3_EnterCode, @function
m3_EnterCode:
    entry a1, 48
    s32i a4, a1, 0
    movi a4, __xtensa_libgcc_window_spill
    callx4 a4
    l32i a15, a1, 0         // mem
    s32i a0, a1, 0
    addi a1, a1, -SAVE_AREA
    mov a14, a3             // sp
    l32i a8, a2, 0
    addi a2, a2, 4          // pc
    callx0 a8
    addi a1, a1, SAVE_AREA
    l32i a0, a1, 0
    retw
    .size m3_EnterCode, . - m3_EnterCode

// A call from a handler to a function of the windowed ABI, of up to six words of arguments and two of results.
//
// It must be callx4. When that window is written to memory later, only its a0-a3 are, and they go below the called
// function's stack pointer. callx8 and callx12 would have a4-a11 written to the end of the frame of this window's
// caller, whose stack pointer the overflow handler reads from the save area below a1; there is none (2).
//
// The call keeps a0-a3, but nothing above: of a12-a15, which the handlers count on, two wait in a2 and a3, two in memory.
    .macro way_out name
    .section .text.call0_\name, "ax"
    .align 4
    .literal_position
    .global call0_\name
    .type call0_\name, @function
call0_\name:
    addi a1, a1, -16
    s32i a14, a1, 0
    s32i a15, a1, 4
    mov a11, a7
    mov a10, a6
    mov a9, a5
    mov a8, a4
    mov a7, a3
    mov a6, a2
    mov a3, a13
    mov a2, a12
    movi a4, \name
    callx4 a4
    mov a12, a2
    mov a13, a3
    mov a2, a6
    mov a3, a7
    l32i a14, a1, 0
    l32i a15, a1, 4
    addi a1, a1, 16
    ret
    .size call0_\name, . - call0_\name
    .endm

#define CALL(F) way_out F
#include "calls.inc"
