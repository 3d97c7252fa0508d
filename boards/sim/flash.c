// See flash.h.

#include "flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "partition_table.h"

static uint8_t *image;
static uint32_t operations;
static uint32_t cut_at; // number of the operation during which the power fails

static bool fail(const char *path, const char *what) {
    fprintf(stderr, "wgdisplay: flash image %s: %s\n", path, what);
    return false;
}

static void make_fresh(void) {
    memset(image, 0xff, FLASH_SIZE);
    memcpy(image + FLASH_PARTITION_TABLE, partition_table, sizeof(partition_table));
}

bool flash_open(const char *path) {
    if (path == NULL) {
        image = mmap(NULL, FLASH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (image == MAP_FAILED) {
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
    if (info.st_size != 0 && info.st_size != FLASH_SIZE) {
        return fail(path, "not a flash image: its size is not 16 MB");
    }
    if (info.st_size == 0 && ftruncate(fd, FLASH_SIZE) != 0) {
        return fail(path, strerror(errno));
    }
    image = mmap(NULL, FLASH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (image == MAP_FAILED) {
        return fail(path, strerror(errno));
    }
    // The descriptor stays open for its lock. A file of zeros is one whose making was interrupted.
    if (image[FLASH_PARTITION_TABLE] == 0) {
        make_fresh();
    }
    return true;
}

void flash_sync(void) {
    if (image != NULL) {
        msync(image, FLASH_SIZE, MS_ASYNC);
    }
}

static bool in_chip(uint32_t address, size_t size) {
    return size <= FLASH_SIZE && address <= FLASH_SIZE - size;
}

// How many of `size` bytes the operation does: all, but for a fault.
static size_t begin_operation(size_t size) {
    operations++;
    return operations == cut_at ? size / 2 : size;
}

static void end_operation(void) {
    if (operations == cut_at) {
        _exit(FLASH_POWER_CUT_EXIT);
    }
}

bool flash_read(uint32_t address, void *data, size_t size) {
    if (!in_chip(address, size)) {
        return false;
    }
    memcpy(data, image + address, size);
    return true;
}

bool flash_write(uint32_t address, const void *data, size_t size) {
    if (!in_chip(address, size)) {
        return false;
    }
    const uint8_t *bytes = data;
    size_t done = begin_operation(size);
    for (size_t i = 0; i < done; i++) {
        image[address + i] &= bytes[i];
    }
    end_operation();
    return true;
}

bool flash_erase(uint32_t address, size_t size) {
    if (!in_chip(address, size) || address % FLASH_SECTOR != 0 || size % FLASH_SECTOR != 0) {
        return false;
    }
    for (size_t at = 0; at < size; at += FLASH_SECTOR) {
        memset(image + address + at, 0xff, begin_operation(FLASH_SECTOR));
        end_operation();
    }
    return true;
}

uint32_t flash_operations(void) {
    return operations;
}

void flash_cut_power_after(uint32_t count) {
    cut_at = count == 0 ? 0 : operations + count;
}
