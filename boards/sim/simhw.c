// Module `_simhw`: the wires between boards/sim/modules (machine, esp32, network) and the models of
// the chips. The board's wiring is here and nowhere else.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/objstr.h"
#include "py/runtime.h"

#include "board.h"
#include "bootloader.h"
#include "console.h"
#include "flash.h"
#include "panel.h"

// ---- Wiring: ESP32-S3-BOX-3 ----

#define PINS (49)
enum { PIN_DC = 4, PIN_CS = 5, PIN_MOSI = 6, PIN_SCK = 7, PIN_BACKLIGHT = 47, PIN_RESET = 48 };

// What a pin's level is that nobody drives. The backlight's and the reset line's transistors are
// pulled down. The one of the reset line inverts: high on the pin holds the panel in reset.
static uint8_t idle_level(int pin) {
    return pin != PIN_BACKLIGHT && pin != PIN_RESET;
}

static uint8_t levels[PINS];
static bool wired;

static void pins_init(void) {
    for (int pin = 0; pin < PINS; pin++) {
        levels[pin] = idle_level(pin);
    }
    wired = true;
}

static int get_pin(mp_obj_t pin_in) {
    if (!wired) {
        pins_init();
    }
    mp_int_t pin = mp_obj_get_int(pin_in);
    if (pin < 0 || pin >= PINS) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid pin"));
    }
    return pin;
}

static mp_obj_t simhw_pin_get(mp_obj_t pin_in) {
    int pin = get_pin(pin_in);
    bool pulled_low = pin < 32 && panel_state()->pulled_low >> pin & 1;
    return MP_OBJ_NEW_SMALL_INT(pulled_low ? 0 : levels[pin]);
}
static MP_DEFINE_CONST_FUN_OBJ_1(simhw_pin_get_obj, simhw_pin_get);

// pin_set(pin, level): drives the pin; None releases it.
static mp_obj_t simhw_pin_set(mp_obj_t pin_in, mp_obj_t level_in) {
    int pin = get_pin(pin_in);
    uint8_t level = level_in == mp_const_none ? idle_level(pin) : mp_obj_is_true(level_in);
    if (pin == PIN_RESET && !levels[pin] && level) {
        panel_reset();
    }
    if (pin == PIN_BACKLIGHT) {
        panel_set_backlight(level ? 0xffff : 0);
    }
    levels[pin] = level;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_pin_set_obj, simhw_pin_set);

// pwm(pin, duty): duty 0...65535.
static mp_obj_t simhw_pwm(mp_obj_t pin_in, mp_obj_t duty_in) {
    int pin = get_pin(pin_in);
    mp_int_t duty = mp_obj_get_int(duty_in);
    levels[pin] = duty > 0;
    if (pin == PIN_BACKLIGHT) {
        panel_set_backlight(MIN(MAX(duty, 0), 0xffff));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_pwm_obj, simhw_pwm);

// spi_write(sck, mosi, buffer): bytes leave on these two pins; the panel hears them if it is on
// them, selected and not in reset.
static mp_obj_t simhw_spi_write(mp_obj_t sck_in, mp_obj_t mosi_in, mp_obj_t buffer_in) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_READ);
    if (get_pin(sck_in) == PIN_SCK && get_pin(mosi_in) == PIN_MOSI && !levels[PIN_CS] &&
        !levels[PIN_RESET]) {
        panel_receive(buffer.buf, buffer.len, levels[PIN_DC]);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(simhw_spi_write_obj, simhw_spi_write);

// panel() -> (flags, backlight, bytes, transfers, commands, faults, last fault), see panel_file.h.
static mp_obj_t simhw_panel(void) {
    const panel_file_t *state = panel_state();
    const char *last = panel_last_fault();
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(state->flags),    mp_obj_new_int_from_uint(state->backlight),
        mp_obj_new_int_from_ull(state->bytes),     mp_obj_new_int_from_ull(state->transfers),
        mp_obj_new_int_from_uint(state->commands), mp_obj_new_int_from_uint(state->faults),
        mp_obj_new_str(last, strlen(last)),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_panel_obj, simhw_panel);

// pixel(x, y) -> RGB565 as seen, from the top left.
static mp_obj_t simhw_pixel(mp_obj_t x_in, mp_obj_t y_in) {
    mp_uint_t x = mp_obj_get_int(x_in), y = mp_obj_get_int(y_in);
    if (x >= PANEL_WIDTH || y >= PANEL_HEIGHT) {
        mp_raise_ValueError(MP_ERROR_TEXT("outside of the panel"));
    }
    return MP_OBJ_NEW_SMALL_INT(panel_state()->pixels[y * PANEL_WIDTH + x]);
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_pixel_obj, simhw_pixel);

// touch() -> (x, y) of the finger on the glass, from the top left as seen; None: there is none.
static mp_obj_t simhw_touch(void) {
    const panel_file_t *state = panel_state();
    if (!state->touched) {
        return mp_const_none;
    }
    mp_obj_t items[] = {MP_OBJ_NEW_SMALL_INT(state->touch_x), MP_OBJ_NEW_SMALL_INT(state->touch_y)};
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_touch_obj, simhw_touch);

// ---- Flash ----

static void flash_check(bool done) {
    if (!done) {
        mp_raise_OSError(MP_EINVAL);
    }
}

static mp_obj_t simhw_flash_read(mp_obj_t address_in, mp_obj_t buffer_in) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_WRITE);
    flash_check(flash_read(mp_obj_get_uint(address_in), buffer.buf, buffer.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_flash_read_obj, simhw_flash_read);

static mp_obj_t simhw_flash_write(mp_obj_t address_in, mp_obj_t buffer_in) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_READ);
    flash_check(flash_write(mp_obj_get_uint(address_in), buffer.buf, buffer.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_flash_write_obj, simhw_flash_write);

static mp_obj_t simhw_flash_erase(mp_obj_t address_in, mp_obj_t size_in) {
    flash_check(flash_erase(mp_obj_get_uint(address_in), mp_obj_get_uint(size_in)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_flash_erase_obj, simhw_flash_erase);

static mp_obj_t simhw_flash_operations(void) {
    return mp_obj_new_int_from_uint(flash_operations());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_flash_operations_obj, simhw_flash_operations);

// cut_power_after(n, torn=HALF, stay=False): see flash.h.
static mp_obj_t simhw_flash_cut_power_after(size_t n_args, const mp_obj_t *args) {
    mp_uint_t torn = n_args > 1 ? mp_obj_get_uint(args[1]) : FLASH_TORN_HALF;
    if (torn >= FLASH_TORN_VARIANTS) {
        mp_raise_ValueError(MP_ERROR_TEXT("no such kind of torn operation"));
    }
    flash_cut_power_after(mp_obj_get_uint(args[0]), torn, n_args > 2 && mp_obj_is_true(args[2]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(simhw_flash_cut_power_after_obj, 1, 3,
                                           simhw_flash_cut_power_after);

static mp_obj_t simhw_flash_power_on(void) {
    return mp_obj_new_bool(flash_power_on());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_flash_power_on_obj, simhw_flash_power_on);

static mp_obj_t simhw_flash_is_off(void) {
    return mp_obj_new_bool(flash_is_off());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_flash_is_off_obj, simhw_flash_is_off);

static mp_obj_t simhw_flash_fail_after(mp_obj_t operations_in, mp_obj_t count_in) {
    flash_fail_after(mp_obj_get_uint(operations_in), mp_obj_get_uint(count_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_flash_fail_after_obj, simhw_flash_fail_after);

static mp_obj_t simhw_flash_wear_out(mp_obj_t address_in, mp_obj_t worn_in) {
    flash_wear_out(mp_obj_get_uint(address_in), mp_obj_is_true(worn_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_flash_wear_out_obj, simhw_flash_wear_out);

static mp_obj_t simhw_flash_rot(mp_obj_t address_in, mp_obj_t bits_in) {
    flash_check(flash_rot(mp_obj_get_uint(address_in), mp_obj_get_uint(bits_in)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simhw_flash_rot_obj, simhw_flash_rot);

// flash_erase_count(address) -> how often the sector was erased since the image was made.
static mp_obj_t simhw_flash_erase_count(mp_obj_t address_in) {
    mp_uint_t address = mp_obj_get_uint(address_in);
    flash_check(address < flash_size());
    return mp_obj_new_int_from_uint(flash_erase_counts()[address / FLASH_SECTOR]);
}
static MP_DEFINE_CONST_FUN_OBJ_1(simhw_flash_erase_count_obj, simhw_flash_erase_count);

static mp_obj_t simhw_flash_mark(void) {
    flash_mark();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_flash_mark_obj, simhw_flash_mark);

static mp_obj_t simhw_flash_rewind(void) {
    flash_rewind();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_flash_rewind_obj, simhw_flash_rewind);

static mp_obj_t simhw_flash_size(void) {
    return mp_obj_new_int_from_uint(flash_size());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_flash_size_obj, simhw_flash_size);

// Range(base, size, block size): the block device functions of esp32.Partition. In C as on the
// chip, so that no other thread and no KeyboardInterrupt comes in the middle of an operation of the
// file system. One that was made before a power cut stays off.
typedef struct {
    mp_obj_base_t base;
    uint32_t start, size, block, epoch;
} range_t;

#define ERR_INVALID_ARG (-0x102)
#define ERR_FLASH_OP_FAIL (-0x6001)

static mp_obj_t range_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                               const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 3, 3, false);
    range_t *self = mp_obj_malloc(range_t, type);
    self->start = mp_obj_get_uint(args[0]);
    self->size = mp_obj_get_uint(args[1]);
    self->block = mp_obj_get_uint(args[2]);
    self->epoch = flash_epoch();
    return MP_OBJ_FROM_PTR(self);
}

// An address on the chip; the bytes must lie in this range.
static uint32_t range_address(range_t *self, mp_obj_t block, mp_obj_t offset, size_t size) {
    int64_t at = (int64_t)mp_obj_get_int(block) * self->block;
    at += offset == MP_OBJ_NULL ? 0 : mp_obj_get_int(offset);
    if (at < 0 || at + (int64_t)size > self->size) {
        mp_raise_OSError(ERR_INVALID_ARG);
    }
    return self->start + at;
}

static void range_check(bool done) {
    if (!done) {
        mp_raise_OSError(ERR_FLASH_OP_FAIL);
    }
}

static bool range_on(range_t *self) {
    return self->epoch == flash_epoch();
}

static mp_obj_t range_readblocks(size_t n_args, const mp_obj_t *args) {
    range_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(args[2], &buffer, MP_BUFFER_WRITE);
    uint32_t at = range_address(self, args[1], n_args > 3 ? args[3] : MP_OBJ_NULL, buffer.len);
    range_check(range_on(self) && flash_read(at, buffer.buf, buffer.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(range_readblocks_obj, 3, 4, range_readblocks);

// Without an offset the blocks are erased first; blocks smaller than a sector are read, changed and
// written back.
static mp_obj_t range_writeblocks(size_t n_args, const mp_obj_t *args) {
    range_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(args[2], &buffer, MP_BUFFER_READ);
    uint32_t at = range_address(self, args[1], n_args > 3 ? args[3] : MP_OBJ_NULL, buffer.len);
    range_check(range_on(self));
    if (n_args > 3) {
        range_check(flash_write(at, buffer.buf, buffer.len));
    } else if (self->block >= FLASH_SECTOR) {
        size_t sectors = (buffer.len + FLASH_SECTOR - 1) / FLASH_SECTOR;
        range_check(flash_erase(at, sectors * FLASH_SECTOR) &&
                    flash_write(at, buffer.buf, buffer.len));
    } else {
        uint8_t cache[FLASH_SECTOR];
        for (size_t done = 0; done < buffer.len;) {
            uint32_t in = (at + done) % FLASH_SECTOR, sector = at + done - in;
            size_t count = MIN(FLASH_SECTOR - in, buffer.len - done);
            range_check(flash_read(sector, cache, FLASH_SECTOR));
            memcpy(cache + in, (uint8_t *)buffer.buf + done, count);
            range_check(flash_erase(sector, FLASH_SECTOR) &&
                        flash_write(sector, cache, FLASH_SECTOR));
            done += count;
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(range_writeblocks_obj, 3, 4, range_writeblocks);

static mp_obj_t range_ioctl(mp_obj_t self_in, mp_obj_t op_in, mp_obj_t arg_in) {
    range_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(op_in)) {
    case 1: // init
    case 2: // deinit
    case 3: // sync
        return MP_OBJ_NEW_SMALL_INT(0);
    case 4: // number of blocks
        return MP_OBJ_NEW_SMALL_INT(self->size / self->block);
    case 5: // bytes in a block
        return MP_OBJ_NEW_SMALL_INT(self->block);
    case 6: // erase
        if (self->block != FLASH_SECTOR) {
            return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
        }
        uint32_t at = range_address(self, arg_in, MP_OBJ_NULL, FLASH_SECTOR);
        range_check(range_on(self) && flash_erase(at, FLASH_SECTOR));
        return MP_OBJ_NEW_SMALL_INT(0);
    default:
        return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(range_ioctl_obj, range_ioctl);

static const mp_rom_map_elem_t range_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&range_readblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&range_writeblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&range_ioctl_obj)},
};
static MP_DEFINE_CONST_DICT(range_locals, range_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(range_type, MP_QSTR_Range, MP_TYPE_FLAG_NONE, make_new,
                                range_make_new, locals_dict, &range_locals);

// ---- The chip ----

static mp_obj_t simhw_reset(void) {
    board_reset();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_reset_obj, simhw_reset);

static mp_obj_t simhw_reset_cause(void) {
    return MP_OBJ_NEW_SMALL_INT(board_reset_cause());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_reset_cause_obj, simhw_reset_cause);

// faults() -> Python code for modules/_faults.py.
static mp_obj_t simhw_faults(void) {
    return mp_obj_new_str_from_cstr(board_faults());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_faults_obj, simhw_faults);

// boot_slot() -> number of the app slot whose firmware this is.
static mp_obj_t simhw_boot_slot(void) {
    return MP_OBJ_NEW_SMALL_INT(bootloader_slot());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_boot_slot_obj, simhw_boot_slot);

// boot() -> the slot that the boot loader chooses, or -1; otadata is changed as by a start.
static mp_obj_t simhw_boot(void) {
    return MP_OBJ_NEW_SMALL_INT(bootloader_choose());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_boot_obj, simhw_boot);

static mp_obj_t simhw_threads(void) {
    return MP_OBJ_NEW_SMALL_INT(mp_thread_count());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_threads_obj, simhw_threads);

// clock_set(ns): the wall clock, nanoseconds since 1970, from now on.
static mp_obj_t simhw_clock_set(mp_obj_t ns_in) {
    int64_t now = (int64_t)(mp_hal_time_ns() - console_clock_offset_ns);
    console_clock_offset_ns = mp_obj_get_ll(ns_in) - now;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(simhw_clock_set_obj, simhw_clock_set);

// host_address() -> (address, netmask) of the PC's network, None if it has none.
static mp_obj_t simhw_host_address(void) {
    struct ifaddrs *list;
    mp_obj_t found = mp_const_none;
    if (getifaddrs(&list) != 0) {
        return found;
    }
    for (struct ifaddrs *i = list; i != NULL && found == mp_const_none; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP)) {
            continue;
        }
        mp_obj_t items[2];
        struct sockaddr *addresses[2] = {i->ifa_addr, i->ifa_netmask};
        for (int n = 0; n < 2; n++) {
            char text[INET_ADDRSTRLEN];
            inet_ntop(AF_INET, &((struct sockaddr_in *)addresses[n])->sin_addr, text, sizeof(text));
            items[n] = mp_obj_new_str(text, strlen(text));
        }
        found = mp_obj_new_tuple(2, items);
    }
    freeifaddrs(list);
    return found;
}
static MP_DEFINE_CONST_FUN_OBJ_0(simhw_host_address_obj, simhw_host_address);

// ---- Watchdog ----

static volatile int64_t watchdog_deadline; // in ms of the ticks; 0: off

static void *watchdog_run(void *arg) {
    (void)arg;
    for (;;) {
        usleep(20 * 1000);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t deadline = watchdog_deadline;
        if (deadline != 0 && now.tv_sec * 1000LL + now.tv_nsec / 1000000 > deadline) {
            board_watchdog_reset();
        }
    }
    return NULL;
}

// watchdog(ms): resets the board unless it is called again within so many milliseconds.
static mp_obj_t simhw_watchdog(mp_obj_t ms_in) {
    static bool running;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    watchdog_deadline = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + mp_obj_get_int(ms_in);
    if (!running) {
        running = true;
        pthread_t thread;
        if (pthread_create(&thread, NULL, watchdog_run, NULL) != 0) {
            mp_raise_OSError(MP_ENOMEM);
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(simhw_watchdog_obj, simhw_watchdog);

void board_stop_watchdog(void) {
    watchdog_deadline = 0;
}

void board_soft_reset_pins(void) {
    pins_init();
    panel_set_backlight(0);
}

// ---- RTC memory ----

#define RTC_MEMORY_SIZE (2048)

static uint8_t rtc_bytes[RTC_MEMORY_SIZE];
static size_t rtc_used;
static bool rtc_read;

// It outlives every reset but not the power: handed on to the next process in the environment.
void board_keep_rtc_memory(void) {
    static char hex[2 * RTC_MEMORY_SIZE + 1];
    if (!rtc_read) {
        return; // what is in the environment is what it holds
    }
    for (size_t i = 0; i < rtc_used; i++) {
        sprintf(hex + 2 * i, "%02x", rtc_bytes[i]);
    }
    hex[2 * rtc_used] = 0;
    setenv(BOARD_RTC_MEMORY, hex, 1);
}

// rtc_memory() -> the bytes; rtc_memory(bytes) sets them.
static mp_obj_t simhw_rtc_memory(size_t n_args, const mp_obj_t *args) {
    if (!rtc_read) {
        const char *hex = getenv(BOARD_RTC_MEMORY);
        unsigned byte;
        while (hex != NULL && rtc_used < RTC_MEMORY_SIZE && sscanf(hex, "%2x", &byte) == 1) {
            rtc_bytes[rtc_used++] = byte;
            hex += 2;
        }
        rtc_read = true;
    }
    if (n_args == 0) {
        return mp_obj_new_bytes(rtc_bytes, rtc_used);
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[0], &info, MP_BUFFER_READ);
    rtc_used = MIN(info.len, RTC_MEMORY_SIZE);
    memcpy(rtc_bytes, info.buf, rtc_used);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(simhw_rtc_memory_obj, 0, 1, simhw_rtc_memory);

// ---- Module ----

static const mp_rom_map_elem_t simhw_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__simhw)},
    {MP_ROM_QSTR(MP_QSTR_PINS), MP_ROM_INT(PINS)},
    {MP_ROM_QSTR(MP_QSTR_pin_get), MP_ROM_PTR(&simhw_pin_get_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_set), MP_ROM_PTR(&simhw_pin_set_obj)},
    {MP_ROM_QSTR(MP_QSTR_pwm), MP_ROM_PTR(&simhw_pwm_obj)},
    {MP_ROM_QSTR(MP_QSTR_spi_write), MP_ROM_PTR(&simhw_spi_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_panel), MP_ROM_PTR(&simhw_panel_obj)},
    {MP_ROM_QSTR(MP_QSTR_pixel), MP_ROM_PTR(&simhw_pixel_obj)},
    {MP_ROM_QSTR(MP_QSTR_Range), MP_ROM_PTR(&range_type)},
    {MP_ROM_QSTR(MP_QSTR_flash_size), MP_ROM_PTR(&simhw_flash_size_obj)},
    {MP_ROM_QSTR(MP_QSTR_touch), MP_ROM_PTR(&simhw_touch_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_read), MP_ROM_PTR(&simhw_flash_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_write), MP_ROM_PTR(&simhw_flash_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_erase), MP_ROM_PTR(&simhw_flash_erase_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_operations), MP_ROM_PTR(&simhw_flash_operations_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_cut_power_after), MP_ROM_PTR(&simhw_flash_cut_power_after_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_power_on), MP_ROM_PTR(&simhw_flash_power_on_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_is_off), MP_ROM_PTR(&simhw_flash_is_off_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_fail_after), MP_ROM_PTR(&simhw_flash_fail_after_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_wear_out), MP_ROM_PTR(&simhw_flash_wear_out_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_rot), MP_ROM_PTR(&simhw_flash_rot_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_erase_count), MP_ROM_PTR(&simhw_flash_erase_count_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_mark), MP_ROM_PTR(&simhw_flash_mark_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash_rewind), MP_ROM_PTR(&simhw_flash_rewind_obj)},
    {MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&simhw_reset_obj)},
    {MP_ROM_QSTR(MP_QSTR_reset_cause), MP_ROM_PTR(&simhw_reset_cause_obj)},
    {MP_ROM_QSTR(MP_QSTR_faults), MP_ROM_PTR(&simhw_faults_obj)},
    {MP_ROM_QSTR(MP_QSTR_boot), MP_ROM_PTR(&simhw_boot_obj)},
    {MP_ROM_QSTR(MP_QSTR_boot_slot), MP_ROM_PTR(&simhw_boot_slot_obj)},
    {MP_ROM_QSTR(MP_QSTR_CHIP_ID), MP_ROM_INT(BOOTLOADER_CHIP_ID)},
    {MP_ROM_QSTR(MP_QSTR_threads), MP_ROM_PTR(&simhw_threads_obj)},
    {MP_ROM_QSTR(MP_QSTR_clock_set), MP_ROM_PTR(&simhw_clock_set_obj)},
    {MP_ROM_QSTR(MP_QSTR_host_address), MP_ROM_PTR(&simhw_host_address_obj)},
    {MP_ROM_QSTR(MP_QSTR_watchdog), MP_ROM_PTR(&simhw_watchdog_obj)},
    {MP_ROM_QSTR(MP_QSTR_rtc_memory), MP_ROM_PTR(&simhw_rtc_memory_obj)},
};
static MP_DEFINE_CONST_DICT(simhw_globals, simhw_globals_table);

const mp_obj_module_t simhw_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&simhw_globals,
};

MP_REGISTER_MODULE(MP_QSTR__simhw, simhw_module);
