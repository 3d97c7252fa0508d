// How deep each kind of code goes into the native stack. Inline, all runs on one stack; on the chip
// a widget runs in a task of its own, and Python in another. The stack of an engine's thread is
// measured as a whole, as a run.
#ifndef WG_XTENSA_STACK_H
#define WG_XTENSA_STACK_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    // Python's part, with the engine's functions that it calls itself (loading a module, making an
    // instance); without the widgets that it runs: the stack of a Python thread.
    STACK_PYTHON,
    // wg_module_new() and wg_instance_new() alone.
    STACK_LOAD,
    // A run: wg_instance_call() up to the calls of the host, which the engine's task waits for;
    // or all that such a task does.
    STACK_RUN,
    STACK_KINDS,
} stack_kind;

// Begins at the place of the caller, which is Python's outermost. Marks what is below.
void stack_start(void);

// The deepest of each kind since the last reset, in bytes.
size_t stack_deepest(stack_kind kind);
void stack_reset(void);

// Of threads (threads.c): fills a new stack with marks; looks how deep one went, whose thread does
// not run.
#define STACK_MARK 0xa5a5a5a5u
void stack_fill(uint32_t *from, const char *to);
void stack_note(uint32_t *bottom, const char *used, const char *end);

#endif
