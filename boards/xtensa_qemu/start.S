// Reset, window vectors and exceptions of the core de233_fpu on QEMU's machine `sim`.
// The vectors' places are in link.ld; what each must do is said in the Xtensa ISA manual, "Windowed
// Register Option".

#define CAUSE_INTERRUPT 4
#define CAUSE_ALLOCA 5
// PS: windows on (bit 18), user vector for exceptions (bit 5), no interrupt is masked.
#define PS_RUNNING ((1 << 18) | (1 << 5))
#define PS_EXCM (1 << 4)

// What a thread's registers are saved in, in words (threads.c): a0 to a15, then these. As the interrupt finds them:
// windowed code or the call0 code of the engine's handlers, floating point and all.
#define SAVED_PC (16 * 4)
#define SAVED_PS (17 * 4)
#define SAVED_SAR (18 * 4)
#define SAVED_LBEG (19 * 4)
#define SAVED_LEND (20 * 4)
#define SAVED_LCOUNT (21 * 4)
#define SAVED_BR (22 * 4)
#define SAVED_SCOMPARE1 (23 * 4)
#define SAVED_FCR (24 * 4)
#define SAVED_FSR (25 * 4)
#define SAVED_F0 (26 * 4)

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
1:  addi a0, a0, CAUSE_ALLOCA - CAUSE_INTERRUPT
    bnez a0, 2f
    j interrupt
2:  j fatal
    .section .vectors.double, "ax"
    j fatal

// ---- Interrupts, entered as ESP-IDF's are: all windows to their stacks, then C on a stack of its own ----
// The interrupted code may be anything: windowed, or in the call0 ABI with a stack pointer that moves. Its a1 must be
// as it was while the windows above it are spilled, for the last of them goes to the 16 bytes below it. Then the one
// window that is left is the interrupted thread, and another thread can go on in it.
    .macro save register, to
    rsr a2, \register
    s32i a2, a0, \to
    .endm
    .macro restore register, from
    l32i a2, a1, \from
    wsr a2, \register
    .endm

    .section .text.interrupt, "ax"
    .align 4
    .literal_position
interrupt:
    movi a0, threads_running
    l32i a0, a0, 0          // begins with its registers
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    s32i a\n, a0, \n * 4
    .endr
    save excsave1, 0
    save epc1, SAVED_PC
    save ps, SAVED_PS
    save sar, SAVED_SAR
    save lbeg, SAVED_LBEG
    save lend, SAVED_LEND
    save lcount, SAVED_LCOUNT
    save br, SAVED_BR
    save scompare1, SAVED_SCOMPARE1
    rur.fcr a2
    s32i a2, a0, SAVED_FCR
    rur.fsr a2
    s32i a2, a0, SAVED_FSR
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    ssi f\n, a0, SAVED_F0 + \n * 4
    .endr
    movi a2, 0              // the handler's loops must not meet the end of ours
    wsr a2, lcount
    movi a2, PS_RUNNING | 1
    wsr a2, ps
    rsync
    movi a4, __xtensa_libgcc_window_spill
    callx4 a4
    movi a1, interrupt_stack_top
    movi a4, console_interrupt
    callx4 a4
    mov a1, a6              // the registers of the thread that goes on
    restore ps, SAVED_PS    // with EXCM, as the vector found it
    rsync
    restore epc1, SAVED_PC
    restore sar, SAVED_SAR
    restore lbeg, SAVED_LBEG
    restore lend, SAVED_LEND
    restore lcount, SAVED_LCOUNT
    restore br, SAVED_BR
    restore scompare1, SAVED_SCOMPARE1
    l32i a2, a1, SAVED_FCR
    wur.fcr a2
    l32i a2, a1, SAVED_FSR
    wur.fsr a2
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    lsi f\n, a1, SAVED_F0 + \n * 4
    .endr
    .irp n, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    l32i a\n, a1, \n * 4
    .endr
    l32i a1, a1, 1 * 4
    rfe

    .section .bss.interrupt, "aw", @nobits
    .align 16
    .space 4096
interrupt_stack_top:
    .space 16

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
