// The board as a whole: resets and what they leave behind.
#ifndef SIM_BOARD_H
#define SIM_BOARD_H

// Why the process runs, for its successor; in the environment.
#define BOARD_RESET_CAUSE "WGDISPLAY_RESET_CAUSE"
// What the RTC memory holds, for its successor.
#define BOARD_RTC_MEMORY "WGDISPLAY_RTC_MEMORY"

// As machine.reset_cause() on the ESP32.
enum {
    BOARD_POWER_ON = 1,
    BOARD_HARD = 2,
    BOARD_WATCHDOG = 3,
    BOARD_DEEPSLEEP = 4,
    BOARD_SOFT = 5
};

// Starts the board anew: same flash, same pty, nothing else.
void board_reset(void);
// The same, as the watchdog does it.
void board_watchdog_reset(void);
int board_reset_cause(void);
// Hands the RTC memory on to the next process image.
void board_keep_rtc_memory(void);
// What --faults said, "" if nothing.
const char *board_faults(void);

// For the soft reset: the watchdog is off, pins and PWM are as after power-on.
void board_stop_watchdog(void);
void board_soft_reset_pins(void);

#endif
