// A model of the display: an ILI9342C controller with its glass, as mounted in the ESP32-S3-BOX-3.
//
// Source of the command set: Ilitek, "ILI9342C a-Si TFT LCD Single Chip Driver, 320RGBx240",
// chapter "Command". The controller's memory is 320 columns by 240 rows of 18 bits.
//
// How the glass is mounted: turned by half a turn, and with red and blue exchanged. So what a
// person sees is upright and has true colours when MADCTL mirrors columns (MX) and rows (MY) and
// sets BGR.
#ifndef SIM_PANEL_H
#define SIM_PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "panel_file.h"

// Maps the file of panel_file.h (NULL: memory only) and powers the panel on.
bool panel_open(const char *path);
// The reset line went active: as power-on, but the memory keeps its content.
void panel_reset(void);
// `size` bytes arrived on the bus; `data`: the level of the D/C line, false for command bytes.
void panel_receive(const uint8_t *bytes, size_t size, bool data);
void panel_set_backlight(uint16_t duty);
const panel_file_t *panel_state(void);
// The reason of the last fault, or "".
const char *panel_last_fault(void);

#endif
