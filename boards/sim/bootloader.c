// See bootloader.h.

#define _GNU_SOURCE
#include "bootloader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "py/lexer.h"
#include "py/runtime.h"
#include "py/frozenmod.h"
#include "mbedtls/sha256.h"

#include "factory_image.h"
#include "flash.h"

// For the firmware that is started: its slot, and the descriptors of the program that was started
// first (it is the boot loader), and of the overlay.
#define ENV_SLOT "WGDISPLAY_SLOT"
#define ENV_LOADER "WGDISPLAY_LOADER"
#define ENV_OVERLAY "WGDISPLAY_OVERLAY"

// ---- Partition table ----

#define TABLE_ENTRIES (95)
#define SLOTS (16)

typedef struct {
    uint16_t magic;
    uint8_t type, subtype;
    uint32_t address, size;
    char label[16];
    uint32_t flags;
} entry_t;

static struct {
    uint32_t otadata;
    struct {
        uint32_t address, size;
    } slots[SLOTS];
    int count;
} table;

static void read_table(void) {
    memset(&table, 0, sizeof(table));
    for (int i = 0; i < TABLE_ENTRIES; i++) {
        entry_t entry;
        if (!flash_read(FLASH_PARTITION_TABLE + i * sizeof(entry), &entry, sizeof(entry)) ||
            entry.magic != 0x50aa) {
            break;
        }
        if (entry.type == 0 && (entry.subtype & ~(SLOTS - 1)) == 0x10) {
            table.slots[entry.subtype & (SLOTS - 1)].address = entry.address;
            table.slots[entry.subtype & (SLOTS - 1)].size = entry.size;
            table.count++;
        } else if (entry.type == 1 && entry.subtype == 0) {
            table.otadata = entry.address;
        }
    }
}

// ---- Images ----

// Where the parts of a slot's image lie in the flash.
typedef struct {
    uint32_t program, program_size, overlay, overlay_size;
} image_t;

#define PROGRAM_ADDRESS (0x42000020)
#define OVERLAY_ADDRESS (0x3d000000)
#define MAX_SEGMENTS (16)

// What esp_image_verify() checks: header, chip, segments, checksum, SHA-256.
static bool verify(int slot, image_t *found) {
    uint32_t base = table.slots[slot].address, size = table.slots[slot].size;
    uint8_t header[24];
    memset(found, 0, sizeof(*found));
    if (!flash_read(base, header, sizeof(header)) || header[0] != 0xe9 || header[1] == 0 ||
        header[1] > MAX_SEGMENTS || (header[12] | header[13] << 8) != BOOTLOADER_CHIP_ID) {
        return false;
    }
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    mbedtls_sha256_starts(&sha, 0);
    mbedtls_sha256_update(&sha, header, sizeof(header));
    uint8_t checksum = 0xef;
    uint32_t at = sizeof(header);
    static uint8_t block[64 * 1024];
    for (int i = 0; i < header[1]; i++) {
        uint32_t part[2]; // load address, length
        if (at + sizeof(part) > size || !flash_read(base + at, part, sizeof(part))) {
            return false;
        }
        mbedtls_sha256_update(&sha, (uint8_t *)part, sizeof(part));
        at += sizeof(part);
        if (part[1] % 4 != 0 || part[1] > size - at) {
            return false;
        }
        if (part[0] == PROGRAM_ADDRESS) {
            found->program = base + at;
            found->program_size = part[1];
        } else if (part[0] == OVERLAY_ADDRESS) {
            found->overlay = base + at;
            found->overlay_size = part[1];
        }
        for (uint32_t left = part[1]; left > 0;) {
            uint32_t n = left < sizeof(block) ? left : sizeof(block);
            if (!flash_read(base + at, block, n)) {
                return false;
            }
            mbedtls_sha256_update(&sha, block, n);
            for (uint32_t k = 0; k < n; k++) {
                checksum ^= block[k];
            }
            at += n;
            left -= n;
        }
    }
    uint32_t end = at / 16 * 16 + 16;
    uint8_t tail[16 + 32], digest[32];
    if (end + 32 > size || !flash_read(base + at, tail, end - at + 32)) {
        return false;
    }
    mbedtls_sha256_update(&sha, tail, end - at);
    mbedtls_sha256_finish(&sha, digest);
    mbedtls_sha256_free(&sha);
    return tail[end - at - 1] == checksum &&
           (header[23] == 0 || memcmp(tail + (end - at), digest, 32) == 0);
}

// ---- otadata ----

// esp_ota_select_entry_t, one at the start of each of two sectors.
typedef struct {
    uint32_t sequence;
    uint8_t label[20];
    uint32_t state, crc;
} record_t;

enum { NEW = 0, PENDING_VERIFY = 1, VALID = 2, INVALID = 3, ABORTED = 4 };

static uint32_t record_crc(const record_t *record) {
    uint32_t crc = 0;
    for (int i = 0; i < 4; i++) {
        crc ^= (record->sequence >> (8 * i)) & 0xff;
        for (int k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

static bool is_written(const record_t *record) {
    return record->sequence != UINT32_MAX && record->crc == record_crc(record);
}

static bool is_invalid(const record_t *record) {
    return record->sequence == UINT32_MAX || record->state == INVALID || record->state == ABORTED;
}

static void write_record(int sector, const record_t *record) {
    uint32_t address = table.otadata + sector * FLASH_SECTOR;
    if (flash_erase(address, FLASH_SECTOR)) {
        flash_write(address, record, sizeof(*record));
    }
}

int bootloader_choose(void) {
    image_t image;
    record_t records[2];
    read_table();
    if (table.count == 0) {
        return -1;
    }
    bool fresh = false;
    int start = 0;
    if (table.otadata != 0) {
        for (int i = 0; i < 2; i++) {
            flash_read(table.otadata + i * FLASH_SECTOR, &records[i], sizeof(records[i]));
        }
        fresh = !is_written(&records[0]) && !is_written(&records[1]);
        for (int i = 0; i < 2; i++) {
            if (records[i].state == PENDING_VERIFY) { // started before and never marked valid
                records[i].state = ABORTED;
                write_record(i, &records[i]);
            }
        }
        if (!is_invalid(&records[0]) || !is_invalid(&records[1])) {
            int active = -1;
            for (int i = 0; i < 2; i++) {
                if (is_written(&records[i]) && !is_invalid(&records[i]) &&
                    (active < 0 || records[i].sequence > records[active].sequence)) {
                    active = i;
                }
            }
            // Without one and without a factory app, all slots are tried in order.
            start = active < 0 ? -1 : (int)((records[active].sequence - 1) % table.count);
            if (active >= 0 && records[active].state == NEW) {
                records[active].state = PENDING_VERIFY;
                write_record(active, &records[active]);
            }
        }
    }
    for (int i = 0; i < table.count; i++) {
        // From `start` down to the first, then up from behind it.
        int slot = i <= start ? start - i : i;
        if (verify(slot, &image)) {
            if (fresh) {
                record_t record;
                memset(&record, 0xff, sizeof(record));
                record.sequence = slot + 1;
                record.state = VALID;
                record.crc = record_crc(&record);
                write_record(0, &record);
            }
            return slot;
        }
    }
    return -1;
}

// ---- Running it ----

static int running_slot;

int bootloader_slot(void) {
    return running_slot;
}

// The factory's image of the simulated board with the other word size. That of an update has a
// program, too.
static bool is_other_factory(const uint8_t header[24]) {
    return header[0] == 0xe9 && header[1] == 1 &&
           (header[12] | header[13] << 8) == (BOOTLOADER_CHIP_ID ^ 0x6000);
}

// What the flash tool does to a new board, for an image file that has no firmware yet, or whose
// firmware is the program with the other word size: its data are for either.
static void program_factory(void) {
    uint8_t header[24];
    uint32_t sequences[2];
    read_table();
    if (table.count == 0 || table.otadata == 0) {
        return;
    }
    flash_read(table.slots[0].address, header, sizeof(header));
    for (int i = 0; i < 2; i++) {
        flash_read(table.otadata + i * FLASH_SECTOR, &sequences[i], sizeof(sequences[i]));
    }
    bool empty = header[0] == 0xff && sequences[0] == UINT32_MAX && sequences[1] == UINT32_MAX;
    bool other = is_other_factory(header) && flash_erase(table.slots[0].address, FLASH_SECTOR);
    if (empty || other) {
        flash_program(table.slots[0].address, factory_image, sizeof(factory_image));
    }
}

// A file in memory with a part of the flash.
static int extract(const char *name, uint32_t address, uint32_t size) {
    int fd = memfd_create(name, 0);
    if (fd < 0 || ftruncate(fd, size) != 0) {
        return -1;
    }
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        return -1;
    }
    bool done = flash_read(address, bytes, size);
    munmap(bytes, size);
    return done ? fd : -1;
}

static void set_number(const char *name, int number) {
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    setenv(name, text, 1);
}

static void fail(const char *what) {
    fprintf(stderr, "wgdisplay: boot loader: %s\n", what);
    exit(1);
}

bool bootloader_start(char **argv) {
    const char *slot = getenv(ENV_SLOT);
    if (slot != NULL) { // this is the firmware that the boot loader started
        running_slot = atoi(slot);
        return true;
    }
    if (getenv(ENV_LOADER) == NULL) {
        int self = open("/proc/self/exe", O_RDONLY);
        if (self < 0) {
            fail("/proc/self/exe can't be opened");
        }
        set_number(ENV_LOADER, self);
    }
    program_factory();
    image_t image;
    running_slot = bootloader_choose();
    if (running_slot < 0) {
        fail("no slot of the flash has a bootable image");
    }
    verify(running_slot, &image);
    if (image.program_size == 0) {
        return false; // the factory's: this program
    }
    int program = extract("firmware", image.program, image.program_size);
    if (program < 0 || fcntl(program, F_SETFD, FD_CLOEXEC) != 0) {
        fail("no memory for the firmware");
    }
    if (image.overlay_size > 0) {
        int overlay = extract("overlay", image.overlay, image.overlay_size);
        if (overlay < 0) {
            fail("no memory for the overlay");
        }
        set_number(ENV_OVERLAY, overlay);
    }
    set_number(ENV_SLOT, running_slot);
    fexecve(program, argv, environ);
    fail("the firmware in the slot is no program for this PC");
    return false;
}

void bootloader_pretend(void) {
    program_factory();
    running_slot = bootloader_choose();
}

void bootloader_restart(char **argv) {
    const char *loader = getenv(ENV_LOADER), *overlay = getenv(ENV_OVERLAY);
    if (overlay != NULL) {
        close(atoi(overlay));
    }
    unsetenv(ENV_SLOT);
    unsetenv(ENV_OVERLAY);
    fexecve(loader == NULL ? -1 : atoi(loader), argv, environ);
    _exit(1);
}

// ---- Overlay: files as (length of the path: 2 bytes, length: 4 bytes, path, bytes), an empty path
// ends ----

static const uint8_t *overlay_files(void) {
    static const uint8_t *files;
    static bool looked;
    const char *fd = getenv(ENV_OVERLAY);
    struct stat info;
    if (!looked && fd != NULL && fstat(atoi(fd), &info) == 0) {
        void *found = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, atoi(fd), 0);
        files = found == MAP_FAILED ? NULL : found;
    }
    looked = true;
    return files;
}

const char *bootloader_overlay(const char *path, size_t *size) {
    const uint8_t *at = overlay_files();
    size_t length = strlen(path);
    while (at != NULL) {
        uint16_t name;
        uint32_t bytes;
        memcpy(&name, at, sizeof(name));
        memcpy(&bytes, at + 2, sizeof(bytes));
        if (name == 0) {
            break;
        }
        const char *content = (const char *)at + 6 + name;
        if (name == length && memcmp(at + 6, path, length) == 0) {
            *size = bytes;
            return content;
        }
        at = (const uint8_t *)content + bytes;
    }
    return NULL;
}

// In place of py/frozenmod.c's by the linker (mpconfigvariant.mk).
mp_import_stat_t __real_mp_find_frozen_module(const char *path, int *type, void **data);
mp_import_stat_t __wrap_mp_find_frozen_module(const char *path, int *type, void **data);

mp_import_stat_t __wrap_mp_find_frozen_module(const char *path, int *type, void **data) {
    size_t size;
    const char *content = bootloader_overlay(path, &size);
    if (content == NULL) {
        return __real_mp_find_frozen_module(path, type, data);
    }
    if (type != NULL) {
        *type = MP_FROZEN_STR;
        *data = mp_lexer_new_from_str_len(qstr_from_str(path), content, size, 0);
    }
    return MP_IMPORT_STAT_FILE;
}
