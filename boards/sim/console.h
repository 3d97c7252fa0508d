// The board's console: a serial port with a USB-serial chip (a pty), or the process's own standard
// input and output when a script runs. The clocks of the hardware layer are here as well.
#ifndef SIM_CONSOLE_H
#define SIM_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

// A reset of the board is a new process on the same pty: the two ends travel in this variable.
#define CONSOLE_INHERIT "WGDISPLAY_PTY"

// Opens a pty (or takes over the inherited one), makes `link` a symbolic link to it and starts the
// thread that stands for the UART's interrupt. With `tether` the process ends when its standard
// input is closed. Returns false, with a message on stderr, if that fails.
bool console_open_pty(const char *link, bool tether);
// Standard input and output are the console; SIGINT is the interrupt character.
void console_open_stdio(void);
// What the next process of a reset needs to take the pty over.
void console_keep_for_reset(void);

// Added to the PC's clock: what machine.RTC().datetime(...) set, in nanoseconds.
extern int64_t console_clock_offset_ns;

#endif
