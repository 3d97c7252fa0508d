// See flash.h.

#include "flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "partition_table.h"

#define SECTORS (FLASH_SIZE / FLASH_SECTOR)

static uint8_t *image;
static uint32_t size_of_chip = FLASH_SIZE;
static uint32_t *erase_counts;
static uint32_t operations;

static struct {
    uint32_t at; // number of the operation during which the power fails
    flash_torn_t torn;
    bool stay;
} cut;
static struct {
    uint32_t from, count; // number of the first operation that fails, and how many
} failing;
static bool off;
static uint32_t epoch;
static uint8_t worn[SECTORS];
static uint32_t chance = 1;

// Sectors as they were at flash_mark(), of those that were changed since.
static struct {
    bool on;
    uint8_t *before[SECTORS];
    uint16_t changed[SECTORS];
    uint32_t count;
} marked;

// ---- The files ----

static bool fail(const char *path, const char *what) {
    fprintf(stderr, "wgdisplay: flash image %s: %s\n", path, what);
    return false;
}

static void make_fresh(void) {
    memset(image, 0xff, size_of_chip);
    memcpy(image + FLASH_PARTITION_TABLE,
           size_of_chip == FLASH_SIZE ? partition_table_16mb : partition_table_8mb,
           sizeof(partition_table_16mb));
    memset(erase_counts, 0, SECTORS * sizeof(*erase_counts));
}

static void *map(int fd, size_t size) {
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    return found == MAP_FAILED ? NULL : found;
}

// Maps the file of erase counts; one of another size is not ours and is made anew.
static bool open_wear(const char *path) {
    char name[4096];
    if (snprintf(name, sizeof(name), "%s.wear", path) >= (int)sizeof(name)) {
        return fail(path, "the path is too long");
    }
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat info;
    const off_t size = SECTORS * sizeof(*erase_counts);
    if (fd < 0 || fstat(fd, &info) != 0 ||
        (info.st_size != size && (ftruncate(fd, 0) != 0 || ftruncate(fd, size) != 0))) {
        return fail(name, strerror(errno));
    }
    erase_counts = map(fd, size);
    close(fd);
    return erase_counts != NULL || fail(name, strerror(errno));
}

bool flash_open(const char *path, uint32_t size) {
    size_of_chip = size;
    if (path == NULL) {
        image = map(-1, size);
        erase_counts = map(-1, SECTORS * sizeof(*erase_counts));
        if (image == NULL || erase_counts == NULL) {
            return fail("in memory", strerror(errno));
        }
        make_fresh();
        return true;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return fail(path, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return fail(path, "another board runs with it");
    }
    struct stat info;
    fstat(fd, &info);
    if (info.st_size == FLASH_SIZE || info.st_size == FLASH_SIZE_SMALL) {
        size_of_chip = info.st_size;
    } else if (info.st_size != 0) {
        return fail(path, "not a flash image: its size is not 16 MB or 8 MB");
    } else if (ftruncate(fd, size_of_chip) != 0) {
        return fail(path, strerror(errno));
    }
    image = map(fd, size_of_chip);
    if (image == NULL) {
        return fail(path, strerror(errno));
    }
    if (!open_wear(path)) {
        return false;
    }
    // The descriptor stays open for its lock. A file of zeros is one whose making was interrupted.
    if (image[FLASH_PARTITION_TABLE] == 0) {
        make_fresh();
    }
    return true;
}

void flash_sync(void) {
    if (image != NULL) {
        msync(image, size_of_chip, MS_ASYNC);
    }
}

uint32_t flash_size(void) {
    return size_of_chip;
}

// ---- Operations ----

static bool in_chip(uint32_t address, size_t size) {
    return size <= size_of_chip && address <= size_of_chip - size;
}

static uint8_t random_byte(void) {
    chance ^= chance << 13;
    chance ^= chance >> 17;
    chance ^= chance << 5;
    return chance >> 11;
}

static void remember(uint32_t address, size_t size) {
    for (uint32_t sector = address / FLASH_SECTOR;
         size > 0 && sector <= (address + size - 1) / FLASH_SECTOR; sector++) {
        if (marked.on && marked.before[sector] == NULL) {
            marked.before[sector] = malloc(FLASH_SECTOR);
            if (marked.before[sector] == NULL) {
                abort();
            }
            memcpy(marked.before[sector], image + sector * FLASH_SECTOR, FLASH_SECTOR);
            marked.changed[marked.count++] = sector;
        }
    }
}

// One operation: turns `size` bytes at `address` into `data` (ANDed with what is there), or into
// 0xff if that is NULL; or what a fault leaves of this.
static bool change(uint32_t address, const uint8_t *data, size_t size) {
    if (off) {
        return false;
    }
    operations++;
    if (failing.count > 0 && operations >= failing.from) {
        failing.count--;
        return false;
    }
    bool cut_now = operations == cut.at;
    size_t done = size;
    if (cut_now) {
        const size_t left[FLASH_TORN_VARIANTS] = {0, size / 2, size - (size > 0), size, size};
        done = left[cut.torn];
    }
    bool by_chance = cut_now && cut.torn == FLASH_TORN_RANDOM;
    remember(address, size);
    uint8_t *cells = image + address;
    bool weak = worn[address / FLASH_SECTOR];
    for (size_t i = 0; i < done; i++) {
        uint8_t wanted = data == NULL ? 0xff : cells[i] & data[i];
        if (weak && data == NULL && i % 64 == 5) {
            wanted = 0xfb;
        }
        uint8_t changes = (cells[i] ^ wanted) & (by_chance ? random_byte() : 0xff);
        cells[i] ^= changes;
    }
    if (cut_now) {
        if (!cut.stay) {
            _exit(FLASH_POWER_CUT_EXIT);
        }
        off = true;
    }
    return !cut_now;
}

bool flash_read(uint32_t address, void *data, size_t size) {
    if (off || !in_chip(address, size)) {
        return false;
    }
    memcpy(data, image + address, size);
    return true;
}

bool flash_write(uint32_t address, const void *data, size_t size) {
    return in_chip(address, size) && change(address, data, size);
}

bool flash_erase(uint32_t address, size_t size) {
    if (!in_chip(address, size) || address % FLASH_SECTOR != 0 || size % FLASH_SECTOR != 0) {
        return false;
    }
    for (size_t at = 0; at < size; at += FLASH_SECTOR) {
        erase_counts[(address + at) / FLASH_SECTOR]++;
        if (!change(address + at, NULL, FLASH_SECTOR)) {
            return false;
        }
    }
    return true;
}

void flash_program(uint32_t address, const void *data, size_t size) {
    if (in_chip(address, size)) {
        memcpy(image + address, data, size);
    }
}

uint32_t flash_operations(void) {
    return operations;
}

// ---- Faults ----

void flash_cut_power_after(uint32_t count, flash_torn_t torn, bool stay) {
    cut.at = count == 0 ? 0 : operations + count;
    cut.torn = torn;
    cut.stay = stay;
    chance = 2463534242u + count;
}

bool flash_power_on(void) {
    bool was_off = off;
    off = false;
    cut.at = 0;
    epoch++;
    return was_off;
}

bool flash_is_off(void) {
    return off;
}

uint32_t flash_epoch(void) {
    return epoch;
}

void flash_fail_after(uint32_t count, uint32_t how_many) {
    failing.from = operations + count;
    failing.count = count == 0 ? 0 : how_many;
}

void flash_wear_out(uint32_t address, bool is_worn) {
    if (in_chip(address, 1)) {
        worn[address / FLASH_SECTOR] = is_worn;
    }
}

bool flash_rot(uint32_t address, uint8_t bits) {
    if (!in_chip(address, 1)) {
        return false;
    }
    remember(address, 1);
    image[address] ^= bits;
    return true;
}

const uint32_t *flash_erase_counts(void) {
    return erase_counts;
}

void flash_mark(void) {
    marked.on = true;
    for (uint32_t i = 0; i < marked.count; i++) {
        free(marked.before[marked.changed[i]]);
        marked.before[marked.changed[i]] = NULL;
    }
    marked.count = 0;
}

void flash_rewind(void) {
    if (!marked.on) {
        return;
    }
    for (uint32_t i = 0; i < marked.count; i++) {
        memcpy(image + marked.changed[i] * FLASH_SECTOR, marked.before[marked.changed[i]],
               FLASH_SECTOR);
    }
    flash_mark();
}
