// Reset, window vectors and exceptions of the core de233_fpu on QEMU's machine `sim`.
// The vectors' places are in link.ld; what each must do is said in the Xtensa ISA manual, "Windowed
// Register Option".

#define CAUSE_ALLOCA 5
// PS: windows on (bit 18), user vector for exceptions (bit 5), no interrupt is masked.
#define PS_RUNNING ((1 << 18) | (1 << 5))

// ---- Reset: QEMU's CPU starts at 0xfe000000, whatever the ELF file's entry is ----
    .section .reset, "ax"
    .global _reset
_reset:
    j 1f
    .align 4
    .literal_position
1:
    movi a0, 0
    wsr a0, windowbase
    rsync
    movi a2, 1
    wsr a2, windowstart
    rsync
    movi a1, _stack_top
    movi a2, _vectors
    wsr a2, vecbase
    movi a2, 0xff
    wsr a2, cpenable
    movi a2, 0x15           // s32c1i is allowed on every kind of memory
    wsr a2, atomctl
    movi a2, PS_RUNNING
    wsr a2, ps
    rsync
    movi a4, start_c
    callx4 a4

// ---- Window overflow and underflow: 64 bytes each, at offset 0 of the vectors ----
    .section .vectors.window, "ax"
    .global _vectors
    .align 64
_vectors:
window_overflow4:
    s32e a0, a5, -16
    s32e a1, a5, -12
    s32e a2, a5, -8
    s32e a3, a5, -4
    rfwo
    .align 64
window_underflow4:
    l32e a0, a5, -16
    l32e a1, a5, -12
    l32e a2, a5, -8
    l32e a3, a5, -4
    rfwu
    .align 64
window_overflow8:
    s32e a0, a9, -16
    l32e a0, a1, -12        // the caller's stack pointer: a4-a7 go to the end of its frame
    s32e a1, a9, -12
    s32e a2, a9, -8
    s32e a3, a9, -4
    s32e a4, a0, -32
    s32e a5, a0, -28
    s32e a6, a0, -24
    s32e a7, a0, -20
    rfwo
    .align 64
window_underflow8:
    l32e a0, a9, -16
    l32e a1, a9, -12
    l32e a2, a9, -8
    l32e a7, a1, -12
    l32e a3, a9, -4
    l32e a4, a7, -32
    l32e a5, a7, -28
    l32e a6, a7, -24
    l32e a7, a7, -20
    rfwu
    .align 64
window_overflow12:
    s32e a0, a13, -16
    l32e a0, a1, -12
    s32e a1, a13, -12
    s32e a2, a13, -8
    s32e a3, a13, -4
    s32e a4, a0, -48
    s32e a5, a0, -44
    s32e a6, a0, -40
    s32e a7, a0, -36
    s32e a8, a0, -32
    s32e a9, a0, -28
    s32e a10, a0, -24
    s32e a11, a0, -20
    rfwo
    .align 64
window_underflow12:
    l32e a0, a13, -16
    l32e a1, a13, -12
    l32e a2, a13, -8
    l32e a11, a1, -12
    l32e a3, a13, -4
    l32e a4, a11, -48
    l32e a5, a11, -44
    l32e a6, a11, -40
    l32e a7, a11, -36
    l32e a8, a11, -32
    l32e a9, a11, -28
    l32e a10, a11, -24
    l32e a11, a11, -20
    rfwu

// movsp (alloca) with the caller's window in memory: fill that window as a return would, run movsp again.
// a0 is in excsave1.
fill_callers_window:
    rsr a0, windowbase
    rotw -1                 // a0 is a4 now, a0-a3 are the caller's and free
    rsr a2, ps
    extui a3, a2, 8, 4      // PS.OWB
    xor a3, a3, a4
    rsr a4, excsave1
    slli a3, a3, 8
    xor a2, a2, a3
    wsr a2, ps              // the underflow's return goes back to the caller's window
    rsync
    bbsi a4, 31, 1f
    j window_underflow4
1:  rotw -1                 // the old a0 is a8 now
    bbsi a8, 30, 2f
    j window_underflow8
2:  rotw -1
    j window_underflow12

// ---- Exceptions: all but alloca end the program ----
    .section .vectors.kernel, "ax"
    j fatal
    .section .vectors.user, "ax"
    wsr a0, excsave1
    rsr a0, exccause
    addi a0, a0, -CAUSE_ALLOCA
    bnez a0, 1f
    j fill_callers_window
1:  j fatal
    .section .vectors.double, "ax"
    j fatal

    .section .text.fatal, "ax"
    .align 4
    .literal_position
fatal:
    mov a0, a1
    wsr a0, excsave2        // the stack pointer, for the message
    movi a0, 0
    wsr a0, windowbase
    rsync
    movi a2, 1
    wsr a2, windowstart
    rsync
    movi a0, 0
    movi a1, _fatal_stack_top
    movi a2, PS_RUNNING
    wsr a2, ps
    rsync
    rsr a6, exccause
    rsr a7, epc1
    rsr a8, excvaddr
    rsr a9, excsave2
    movi a4, fatal_exception
    callx4 a4

// ---- int32_t simcall(number, a, b, c): QEMU does it. binutils has no `simcall` for this core ----
    .section .text.simcall, "ax"
    .align 4
    .global simcall
    .type simcall, @function
simcall:
    entry a1, 32
    .byte 0x00, 0x51, 0x00
    retw
    .size simcall, . - simcall
