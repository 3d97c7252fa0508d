// The flash chip: 16 MB (or 8 MB) of NOR flash in a file.
//
// The rules of NOR flash hold: a write can only clear bits (the result is old AND new), an erase
// sets a whole sector of 4096 bytes to 0xff. A fresh image is erased flash with the partition
// table of its size (tools/wg/flash/layout.toml) at 0x8000, as the flash tool leaves it.
//
// The image is a shared memory map: what was written is in the file even if the process is killed.
// How often each sector was erased is in a second file, `<image>.wear`, one little-endian 32-bit
// number a sector; it is as old as the image.
//
// Every change passes one function, change() in flash.c, sector by sector for an erase. Faults (a
// power cut in the middle of an operation, a worn sector, an operation that fails) are injected
// there and nowhere else.
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLASH_SIZE (16 * 1024 * 1024)
#define FLASH_SIZE_SMALL (8 * 1024 * 1024)
#define FLASH_SECTOR (4096)
#define FLASH_PARTITION_TABLE (0x8000)

// Opens the image, makes one of `size` bytes if it is missing; NULL: a fresh one in memory only. An
// image keeps its size. On failure, for instance if another board has it open, returns false with a
// message on stderr.
bool flash_open(const char *path, uint32_t size);
// Writes the memory map back to the file.
void flash_sync(void);
uint32_t flash_size(void);

// These return false if the range is outside the chip, if it is not made of whole sectors (erase),
// if the power is off, or if the chip reports a failure (flash_fail_after).
bool flash_read(uint32_t address, void *data, size_t size);
bool flash_write(uint32_t address, const void *data, size_t size);
bool flash_erase(uint32_t address, size_t size);
// As a flash tool does, before the board is switched on: not an operation, and no fault.
void flash_program(uint32_t address, const void *data, size_t size);

// How many operations (writes, and sectors erased) there were since power-on.
uint32_t flash_operations(void);

// ---- Faults ----

// What is left of the operation during which the power fails. `RANDOM`: of the bits that the
// operation changes, each was changed or was not.
typedef enum {
    FLASH_TORN_NOTHING,
    FLASH_TORN_HALF,
    FLASH_TORN_ALL_BUT_LAST,
    FLASH_TORN_RANDOM,
    FLASH_TORN_ALL,
    FLASH_TORN_VARIANTS,
} flash_torn_t;

// The power fails during the operation after `operations` more; 0 switches this off. The process
// ends with exit code 86; if `stay`, it goes on with a chip that is off until flash_power_on().
void flash_cut_power_after(uint32_t operations, flash_torn_t torn, bool stay);
#define FLASH_POWER_CUT_EXIT (86)
// The power is back. What was opened before, such as a mounted file system, stays off for ever: see
// flash_epoch(). Returns false if the power was on.
bool flash_power_on(void);
bool flash_is_off(void);
// A number that changes with each flash_power_on().
uint32_t flash_epoch(void);

// `count` operations from the `operations`-th on do nothing and report failure; 0 switches this
// off.
void flash_fail_after(uint32_t operations, uint32_t count);
// A worn sector: an erase leaves bits at zero, and nothing reports it. Again: as new.
void flash_wear_out(uint32_t address, bool worn);
// Bit rot: changes the bits that are set in `bits`, whatever NOR flash allows.
bool flash_rot(uint32_t address, uint8_t bits);

// How often each sector was erased since the image was made: FLASH_SIZE / FLASH_SECTOR numbers.
const uint32_t *flash_erase_counts(void);

// Remembers the content; flash_rewind() goes back to it, as often as one likes, in a time that
// depends on what was changed. Without flash_mark() it does nothing. Erase counts go on.
void flash_mark(void);
void flash_rewind(void);

#endif
