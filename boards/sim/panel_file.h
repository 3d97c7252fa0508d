// The file that --panel names: what a person in front of the display sees, as shared memory.
//
// All numbers are little-endian. To read a whole frame: read `sequence`; if it is odd, a transfer
// is being decoded, try again; copy the pixels; read `sequence` again; if it has changed, try
// again.
#ifndef SIM_PANEL_FILE_H
#define SIM_PANEL_FILE_H

#include <stdint.h>

#define PANEL_FILE_MAGIC "WGPANEL1"
#define PANEL_WIDTH (320)
#define PANEL_HEIGHT (240)

enum {
    PANEL_ON = 1 << 0,        // awake and the display is on; otherwise the pixels are black
    PANEL_INVERTED = 1 << 1,  // INVON
    PANEL_BACKLIGHT = 1 << 2, // the backlight has power
    PANEL_IDLE = 1 << 3,      // idle mode: 8 colours
};

typedef struct _panel_file_t {
    char magic[8];      //  0  PANEL_FILE_MAGIC without its NUL
    uint16_t width;     //  8
    uint16_t height;    // 10
    uint32_t sequence;  // 12  odd while the picture changes
    uint32_t flags;     // 16  PANEL_ON ...
    uint32_t backlight; // 20  0 ... 65535, the PWM's duty
    uint64_t bytes;     // 24  that went over SPI with the panel selected
    uint64_t transfers; // 32  calls of SPI write
    uint32_t commands;  // 40  decoded
    uint32_t faults;    // 44  unknown commands, wrong numbers of parameters, broken timing
    // What the outside does to the board; written by others than the board, and kept over its
    // resets.
    uint32_t pulled_low;       // 48  bit n: something pulls pin n low: a key that is pressed
    uint16_t touch_x, touch_y; // 52  where the finger is, as seen, while `touched` is 1
    uint32_t touched;          // 56
    uint8_t reserved[4];       // 60
    uint16_t pixels[PANEL_WIDTH * PANEL_HEIGHT]; // 64  RGB565, rows from the top, left to right
} panel_file_t;

#endif
