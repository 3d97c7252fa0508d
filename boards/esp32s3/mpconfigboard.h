// ESP32-S3-BOX-3, and any ESP32-S3 with 16 MB flash and octal PSRAM: pins and panel are in
// board.py.

#define MICROPY_HW_BOARD_NAME "WG Display (ESP32-S3)"
#define MICROPY_HW_MCU_NAME "ESP32S3"
// The name under which firmware for this board is released (cmodules/wg_release). A board that
// needs a firmware of its own needs a name of its own.
#define WG_BOARD "esp32s3"

// The prompt is on the USB connector through the chip's own USB Serial/JTAG, which resets and
// flashes the board without any software of ours running, and shows what a panic says. And on
// UART0, for boards with a bridge.
#define MICROPY_HW_ENABLE_USBDEV (0)
#define MICROPY_HW_ENABLE_UART_REPL (1)

// Not used by the firmware: their memory is for widgets.
#define MICROPY_PY_BLUETOOTH (0)
#define MICROPY_PY_ESPNOW (0)

#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "wg-display"

// The prompt's task, in internal memory. Importing and compiling what is typed there is the deepest
// that it goes; the application's own thread is made in Python, with its own size.
#define MICROPY_TASK_STACK_SIZE (20 * 1024)
