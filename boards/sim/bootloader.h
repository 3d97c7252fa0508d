// The boot loader: chooses the app slot by otadata, verifies its image and runs it.
//
// The rules are those of ESP-IDF 5.4's second stage with rollback enabled
// (bootloader_utility.c, esp_image_format.c): a record NEW becomes PENDING_VERIFY when its slot is
// started, one that is still PENDING_VERIFY at the next start becomes ABORTED, and the slot of the
// other record is started; if a slot's image is broken, the slots before it are tried, then those
// after it.
//
// What is in a slot is an app image for chip BOOTLOADER_CHIP_ID whose segments are a program for
// this PC and, optionally, an overlay: Python files that take the place of frozen ones
// (tools/wg/release/simulated.py makes such images). The program is written to a file in memory and
// executed: it is the firmware from then on. The image that the flash tool leaves in the first slot
// has neither: it stands for the program that was started, so that `make sim` needs no flashing.
#ifndef SIM_BOOTLOADER_H
#define SIM_BOOTLOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __SIZEOF_POINTER__ == 4
#define BOOTLOADER_CHIP_ID (0x2009)
#else
#define BOOTLOADER_CHIP_ID (0x4009)
#endif

// Chooses a slot and does to otadata what a start does to it. Returns the slot's number, or -1 if
// none is bootable. Nothing is executed.
int bootloader_choose(void);

// The start of a board, before anything else of it: returns if this process is the firmware of the
// chosen slot, else becomes that firmware, or ends with a message if there is none. True: the
// firmware came out of the slot's image; false: it is the program that was started.
bool bootloader_start(char **argv);

// The same for a script, which stands for the firmware of whichever slot is chosen.
void bootloader_pretend(void);

// The slot whose firmware this process is.
int bootloader_slot(void);

// Becomes the boot loader again: the chip was reset. Only what a signal handler may do.
void bootloader_restart(char **argv);

// A file of the overlay by its path below `.frozen/`; NULL if there is none.
const char *bootloader_overlay(const char *path, size_t *size);

#endif
