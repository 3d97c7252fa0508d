// The flash chip: 16 MB of NOR flash in a file.
//
// The rules of NOR flash hold: a write can only clear bits (the result is old AND new), an erase
// sets a whole sector of 4096 bytes to 0xff. A fresh image is erased flash with the partition
// table of boards/esp32s3/partitions.csv at 0x8000, as the flash tool leaves it.
//
// The image is a shared memory map: what was written is in the file even if the process is killed.
// Every change passes one function, begin_operation() in flash.c. A fault (a power cut at operation
// n, a torn write) is injected there and nowhere else.
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLASH_SIZE (16 * 1024 * 1024)
#define FLASH_SECTOR (4096)
#define FLASH_PARTITION_TABLE (0x8000)

// Opens the image, makes it if it is missing; NULL: a fresh one in memory only. On failure, for
// instance if another board has it open, returns false with a message on stderr.
bool flash_open(const char *path);
// Writes the memory map back to the file.
void flash_sync(void);

// These return false if the range is outside the chip, or for an erase not made of whole sectors.
bool flash_read(uint32_t address, void *data, size_t size);
bool flash_write(uint32_t address, const void *data, size_t size);
bool flash_erase(uint32_t address, size_t size);

// How many operations (writes, and sectors erased) there were since power-on.
uint32_t flash_operations(void);
// The power fails during the operation after `operations` more: of a write or an erase the first
// half is done, then the process ends with exit code 86. 0 switches this off.
void flash_cut_power_after(uint32_t operations);
#define FLASH_POWER_CUT_EXIT (86)

#endif
