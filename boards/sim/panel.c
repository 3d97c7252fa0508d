// See panel.h.

#include "panel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ANY (-1)

enum {
    CMD_NOP = 0x00,
    CMD_SWRESET = 0x01,
    CMD_SLPIN = 0x10,
    CMD_SLPOUT = 0x11,
    CMD_PTLON = 0x12,
    CMD_NORON = 0x13,
    CMD_INVOFF = 0x20,
    CMD_INVON = 0x21,
    CMD_DISPOFF = 0x28,
    CMD_DISPON = 0x29,
    CMD_CASET = 0x2a,
    CMD_PASET = 0x2b,
    CMD_RAMWR = 0x2c,
    CMD_VSCRDEF = 0x33,
    CMD_MADCTL = 0x36,
    CMD_VSCRSADD = 0x37,
    CMD_IDMOFF = 0x38,
    CMD_IDMON = 0x39,
    CMD_COLMOD = 0x3a,
    CMD_RAMWRC = 0x3c,
};

enum { MADCTL_MY = 0x80, MADCTL_MX = 0x40, MADCTL_MV = 0x20, MADCTL_BGR = 0x08 };

// Parameters of the commands that only need to be well-formed here: power, gamma, timing.
static const struct {
    uint8_t command;
    int8_t least, most; // number of parameters; ANY: no limit
} accepted[] = {
    {CMD_NOP, 0, 0}, {CMD_PTLON, 0, 0}, {CMD_NORON, 0, 0}, {0x26, 1, 1}, // GAMSET
    {0x2d, 0, ANY},                                                      // RGBSET
    {0x30, 4, 4},                                                        // PTLAR
    {0x34, 0, 0},                                                        // TEOFF
    {0x35, 1, 1},                                                        // TEON
    {0x44, 2, 2},                                                        // set tear scanline
    {0x51, 1, 1},                                                        // WRDISBV
    {0x53, 1, 1},                                                        // WRCTRLD
    {0x55, 1, 1},                                                        // WRCABC
    {0x5e, 1, 1},                                                        // CABC minimum brightness
    {0xb0, 1, 1},                                                        // IFMODE
    {0xb1, 2, 2},                                                        // FRMCTR1
    {0xb2, 2, 2},                                                        // FRMCTR2
    {0xb3, 2, 2},                                                        // FRMCTR3
    {0xb4, 1, 1},                                                        // INVTR
    {0xb5, 4, 4},                                                        // PRCTR
    {0xb6, 1, 4},                                                        // DISCTRL
    {0xb7, 1, 1},                                                        // ETMOD
    {0xb8, 1, 1},                                                        // backlight control 1...8
    {0xb9, 1, 1},    {0xba, 1, 1},      {0xbb, 1, 1},      {0xbc, 1, 1},
    {0xbe, 1, 1},    {0xbf, 1, 1},      {0xc0, 1, 2}, // PWCTRL1
    {0xc1, 1, 1},                                     // PWCTRL2
    {0xc5, 1, 2},                                     // VMCTRL1
    {0xc7, 1, 1},                                     // VMCTRL2
    {0xc8, 3, 3},                  // SETEXTC: FF 93 42 unlocks the extended commands
    {0xcb, 5, 5},                  // power control A
    {0xcf, 3, 3},                  // power control B
    {0xd0, 2, 2},    {0xd1, 3, 3}, // NV memory
    {0xe0, 15, 15},                // PGAMCTRL
    {0xe1, 15, 15},                // NGAMCTRL
    {0xe2, 16, 16},                // DGAMCTRL1
    {0xe3, 64, 64},                // DGAMCTRL2
    {0xe8, 3, 3},                  // driver timing A
    {0xea, 2, 2},                  // driver timing B
    {0xed, 4, 4},                  // power-on sequence
    {0xf2, 1, 1},                  // 3 gamma
    {0xf6, 3, 3},                  // IFCTL
    {0xf7, 1, 1},                  // pump ratio
};

// Commands are obeyed only so long after SLPOUT and after a reset (tSLOUT, tREST).
#define WAKE_NS (5 * 1000000LL)

typedef struct _pixel_t {
    uint8_t r, g, b; // six bits each
} pixel_t;

static struct {
    pixel_t gram[PANEL_HEIGHT][PANEL_WIDTH];
    bool awake, on, inverted, idle;
    uint8_t madctl, colmod;
    uint16_t column_start, column_end, row_start, row_end;
    uint16_t top_fixed, scroll_height, scroll_start;
    // The write pointer, in the addresses of the window.
    uint16_t column, row;
    int command; // that is being received; -1: none
    uint8_t parameters[64];
    int count;
    uint8_t pixel_bytes[3];
    int pixel_count;
    int64_t ready_at; // no command before
    bool dirty;       // more than single pixels changed
} lcd;

static panel_file_t memory_only;
static panel_file_t *file = &memory_only;
static char last_fault[96] = "";

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fault(const char *what, int command) {
    file->faults++;
    snprintf(last_fault, sizeof(last_fault), "command 0x%02x: %s", command, what);
}

// ---- From the controller's memory to the eye ----

static uint16_t shown(int x, int y) {
    if (!lcd.awake || !lcd.on) {
        return 0;
    }
    // The vertical scroll picks which row of the memory a line of the glass shows.
    int line = y - lcd.top_fixed;
    if (line >= 0 && line < lcd.scroll_height) {
        int offset = lcd.scroll_start - lcd.top_fixed;
        y = lcd.top_fixed +
            ((line + offset) % lcd.scroll_height + lcd.scroll_height) % lcd.scroll_height;
    }
    pixel_t p = lcd.gram[y][x];
    if (lcd.idle) {
        p = (pixel_t){p.r & 0x20 ? 63 : 0, p.g & 0x20 ? 63 : 0, p.b & 0x20 ? 63 : 0};
    }
    if (lcd.inverted) {
        p = (pixel_t){p.r ^ 63, p.g ^ 63, p.b ^ 63};
    }
    // MADCTL's BGR exchanges the colours, and so does the glass.
    if (!(lcd.madctl & MADCTL_BGR)) {
        uint8_t r = p.r;
        p.r = p.b;
        p.b = r;
    }
    return (uint16_t)((p.r >> 1) << 11 | p.g << 5 | p.b >> 1);
}

static uint16_t *seen(int x, int y) {
    return &file->pixels[(PANEL_HEIGHT - 1 - y) * PANEL_WIDTH + (PANEL_WIDTH - 1 - x)];
}

static void redraw(void) {
    for (int y = 0; y < PANEL_HEIGHT; y++) {
        for (int x = 0; x < PANEL_WIDTH; x++) {
            *seen(x, y) = shown(x, y);
        }
    }
    lcd.dirty = false;
}

static void update_flags(void) {
    file->flags = (lcd.awake && lcd.on ? PANEL_ON : 0) | (lcd.inverted ? PANEL_INVERTED : 0) |
                  (file->backlight > 0 ? PANEL_BACKLIGHT : 0) | (lcd.idle ? PANEL_IDLE : 0);
}

static void begin_change(void) {
    __atomic_fetch_add(&file->sequence, 1, __ATOMIC_ACQ_REL);
}

static void end_change(void) {
    if (lcd.dirty) {
        redraw();
    }
    update_flags();
    __atomic_fetch_add(&file->sequence, 1, __ATOMIC_ACQ_REL);
}

// ---- Memory writes ----

static void put_pixel(pixel_t p) {
    int x = lcd.column, y = lcd.row;
    if (lcd.madctl & MADCTL_MV) {
        x = lcd.row;
        y = lcd.column;
    }
    if (x < PANEL_WIDTH && y < PANEL_HEIGHT) {
        if (lcd.madctl & MADCTL_MX) {
            x = PANEL_WIDTH - 1 - x;
        }
        if (lcd.madctl & MADCTL_MY) {
            y = PANEL_HEIGHT - 1 - y;
        }
        lcd.gram[y][x] = p;
        if (lcd.scroll_height != PANEL_HEIGHT || lcd.scroll_start != 0) {
            lcd.dirty = true;
        } else {
            *seen(x, y) = shown(x, y);
        }
    }
    // The pointer runs through the window and, after its end, from its start again (WEMODE = 1).
    if (lcd.column < lcd.column_end) {
        lcd.column++;
    } else {
        lcd.column = lcd.column_start;
        lcd.row = lcd.row < lcd.row_end ? lcd.row + 1 : lcd.row_start;
    }
}

static void receive_pixel_byte(uint8_t byte) {
    lcd.pixel_bytes[lcd.pixel_count++] = byte;
    const uint8_t *b = lcd.pixel_bytes;
    if (lcd.colmod == 0x55 && lcd.pixel_count == 2) {
        // 16 bits: the sixth bit of red and blue is a copy of the first.
        uint8_t r = b[0] >> 3, blue = b[1] & 0x1f;
        lcd.pixel_count = 0;
        put_pixel((pixel_t){r << 1 | r >> 4, (b[0] & 7) << 3 | b[1] >> 5, blue << 1 | blue >> 4});
    } else if (lcd.colmod != 0x55 && lcd.pixel_count == 3) {
        lcd.pixel_count = 0;
        put_pixel((pixel_t){b[0] >> 2, b[1] >> 2, b[2] >> 2});
    }
}

// ---- Commands ----

static void set_defaults(void) {
    lcd.awake = lcd.on = lcd.inverted = lcd.idle = false;
    lcd.madctl = 0;
    lcd.colmod = 0x66;
    lcd.column_start = lcd.row_start = lcd.column = lcd.row = 0;
    lcd.column_end = PANEL_WIDTH - 1;
    lcd.row_end = PANEL_HEIGHT - 1;
    lcd.top_fixed = 0;
    lcd.scroll_height = PANEL_HEIGHT;
    lcd.scroll_start = 0;
    lcd.command = -1;
    lcd.pixel_count = 0;
    lcd.ready_at = now_ns() + WAKE_NS;
    lcd.dirty = true;
}

static int word(int at) {
    return lcd.parameters[at] << 8 | lcd.parameters[at + 1];
}

// A command without parameters acts at once.
static bool act_without_parameters(int command) {
    switch (command) {
    case CMD_SWRESET:
        set_defaults();
        return true;
    case CMD_SLPIN:
    case CMD_SLPOUT:
        lcd.awake = command == CMD_SLPOUT;
        lcd.ready_at = now_ns() + WAKE_NS;
        break;
    case CMD_INVOFF:
    case CMD_INVON:
        lcd.inverted = command == CMD_INVON;
        break;
    case CMD_DISPOFF:
    case CMD_DISPON:
        lcd.on = command == CMD_DISPON;
        break;
    case CMD_IDMOFF:
    case CMD_IDMON:
        lcd.idle = command == CMD_IDMON;
        break;
    case CMD_RAMWR:
        lcd.column = lcd.column_start;
        lcd.row = lcd.row_start;
        lcd.pixel_count = 0;
        return true;
    case CMD_RAMWRC:
        lcd.pixel_count = 0;
        return true;
    default:
        return false;
    }
    lcd.dirty = true;
    return true;
}

// How many parameters a command has that acts when it has them all; -1: no such command.
static int parameters_of(int command) {
    switch (command) {
    case CMD_CASET:
    case CMD_PASET:
        return 4;
    case CMD_VSCRDEF:
        return 6;
    case CMD_VSCRSADD:
        return 2;
    case CMD_MADCTL:
    case CMD_COLMOD:
        return 1;
    default:
        return -1;
    }
}

static void act_with_parameters(int command) {
    bool turned = lcd.madctl & MADCTL_MV;
    int columns = turned ? PANEL_HEIGHT : PANEL_WIDTH, rows = turned ? PANEL_WIDTH : PANEL_HEIGHT;
    switch (command) {
    case CMD_CASET:
    case CMD_PASET: {
        int start = word(0), end = word(2);
        if (start > end || end >= (command == CMD_CASET ? columns : rows)) {
            fault("window outside of the memory", command);
            return;
        }
        if (command == CMD_CASET) {
            lcd.column_start = start;
            lcd.column_end = end;
        } else {
            lcd.row_start = start;
            lcd.row_end = end;
        }
        break;
    }
    case CMD_VSCRDEF:
        if (word(0) + word(2) + word(4) != PANEL_HEIGHT || word(2) == 0) {
            fault("the three scroll areas are not 240 lines", command);
            return;
        }
        lcd.top_fixed = word(0);
        lcd.scroll_height = word(2);
        lcd.dirty = true;
        break;
    case CMD_VSCRSADD:
        lcd.scroll_start = word(0) % PANEL_HEIGHT;
        lcd.dirty = true;
        break;
    case CMD_MADCTL:
        lcd.madctl = lcd.parameters[0];
        lcd.dirty = true;
        break;
    case CMD_COLMOD:
        if ((lcd.parameters[0] & 7) != 5 && (lcd.parameters[0] & 7) != 6) {
            fault("neither 16 nor 18 bits a pixel", command);
            return;
        }
        lcd.colmod = (lcd.parameters[0] & 7) == 5 ? 0x55 : 0x66;
        break;
    }
}

static void end_command(void) {
    if (lcd.command < 0 || lcd.command == CMD_RAMWR || lcd.command == CMD_RAMWRC) {
        return;
    }
    int wanted = parameters_of(lcd.command);
    if (wanted >= 0) {
        // The address commands may be cut short: what came is not used.
        if (lcd.count != wanted) {
            fault("wrong number of parameters", lcd.command);
        }
        return;
    }
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (accepted[i].command == lcd.command) {
            if (lcd.count < accepted[i].least ||
                (accepted[i].most != ANY && lcd.count > accepted[i].most)) {
                fault("wrong number of parameters", lcd.command);
            }
            return;
        }
    }
}

static bool is_known(int command) {
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (accepted[i].command == command) {
            return true;
        }
    }
    return parameters_of(command) >= 0;
}

static void receive_command(uint8_t command) {
    end_command();
    file->commands++;
    lcd.command = command;
    lcd.count = 0;
    if (now_ns() < lcd.ready_at) {
        fault("less than 5 ms after a reset or a change of sleep", command);
    }
    if (!act_without_parameters(command) && !is_known(command)) {
        fault("unknown", command);
        lcd.command = -1;
    }
}

static void receive_data(uint8_t byte) {
    if (lcd.command == CMD_RAMWR || lcd.command == CMD_RAMWRC) {
        receive_pixel_byte(byte);
        return;
    }
    if (lcd.command < 0) {
        return; // of an unknown command
    }
    if (lcd.count < (int)sizeof(lcd.parameters)) {
        lcd.parameters[lcd.count] = byte;
    }
    lcd.count++;
    if (lcd.count == parameters_of(lcd.command)) {
        act_with_parameters(lcd.command);
    }
}

void panel_receive(const uint8_t *bytes, size_t size, bool data) {
    begin_change();
    file->bytes += size;
    file->transfers++;
    for (size_t i = 0; i < size; i++) {
        if (data) {
            receive_data(bytes[i]);
        } else {
            receive_command(bytes[i]);
        }
    }
    end_change();
}

void panel_reset(void) {
    begin_change();
    set_defaults();
    end_change();
}

void panel_set_backlight(uint16_t duty) {
    if (file->backlight != duty) {
        begin_change();
        file->backlight = duty;
        end_change();
    }
}

const panel_file_t *panel_state(void) {
    return file;
}

const char *panel_last_fault(void) {
    return last_fault;
}

bool panel_open(const char *path) {
    if (path != NULL) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0 && ftruncate(fd, sizeof(panel_file_t)) == 0) {
            file = mmap(NULL, sizeof(panel_file_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        }
        if (fd < 0 || file == MAP_FAILED || file == &memory_only) {
            fprintf(stderr, "wgdisplay: panel file %s: %s\n", path, strerror(errno));
            return false;
        }
        close(fd);
    }
    panel_file_t old = {0};
    if (memcmp(file->magic, PANEL_FILE_MAGIC, sizeof(file->magic)) == 0) {
        old = *file;
    }
    *file = (panel_file_t){
        .width = PANEL_WIDTH,
        .height = PANEL_HEIGHT,
        .sequence = file->sequence & ~1U, // a killed process may have left it odd
        .pulled_low = old.pulled_low,     // a key held during a reset
        .touch_x = old.touch_x,
        .touch_y = old.touch_y,
        .touched = old.touched,
    };
    memcpy(file->magic, PANEL_FILE_MAGIC, sizeof(file->magic));
    // At power-on the memory holds noise; black is what can be compared.
    set_defaults();
    lcd.ready_at = 0;
    begin_change();
    end_change();
    return true;
}
