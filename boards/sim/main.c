// The simulated board's program: see usage() for its two ways to run.
//
// As a board it goes through the phases of ports/esp32/main.c: start, `_boot` (frozen), `boot.py`
// (on flash), `main.py` (on flash, else frozen), the REPL, soft reset. machine.reset() is a new
// process image on the same pty, so that nothing but flash survives.

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "py/builtin.h"
#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/repl.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "extmod/vfs_posix.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

#include "board.h"
#include "bootloader.h"
#include "console.h"
#include "flash.h"
#include "panel.h"

#define HEAP_DEFAULT (4 * 1024 * 1024)
// Of the main thread, whose real stack is larger: deep Python and inline WebAssembly need it on
// either word size.
#define STACK_SIZE (256 * 1024)

static struct {
    const char *flash, *pty, *panel, *script, *faults;
    size_t heap;
    uint32_t chip;
    bool tether, bare;
} options = {.heap = HEAP_DEFAULT, .chip = FLASH_SIZE, .faults = ""};
static char **arguments;
static int board_descriptors_end; // the first one that the application may have opened

static void usage(FILE *out) {
    fprintf(out,
            "usage: wgdisplay --flash FILE --pty LINK [--panel FILE] [--heap BYTES] [--tether] "
            "[--bare]\n"
            "           boots a board; LINK becomes a symbolic link to its serial port\n"
            "       wgdisplay [--flash FILE] [--panel FILE] [--heap BYTES] --script FILE [ARG...]\n"
            "           runs a MicroPython script on standard input and output, without the\n"
            "           firmware's main.py; MICROPYPATH comes before the frozen modules\n"
            "  --flash FILE   image of the flash chip; made if it is missing\n"
            "  --chip MB      size of a flash image that is made: 16 or 8 (16)\n"
            "  --panel FILE   where the display's pixels and state go (panel_file.h)\n"
            "  --heap BYTES   size of the Python heap (%d)\n"
            "  --tether       end when standard input is closed\n"
            "  --faults CODE  assignments to what modules/_faults.py explains, at each start of "
            "Python\n"
            "  --bare         without boot.py and main.py: the prompt only\n",
            HEAP_DEFAULT);
}

// Sockets and files of the application are open descriptors of the process; the port's sockets
// have no finaliser.
static void close_all_but_the_boards(void) {
    close_range(board_descriptors_end, ~0U, 0);
}

static void start_anew(const char *cause) {
    close_all_but_the_boards();
    console_keep_for_reset();
    board_keep_rtc_memory();
    setenv(BOARD_RESET_CAUSE, cause, 1);
    bootloader_restart(arguments);
}

const char *board_faults(void) {
    return options.faults;
}

void board_reset(void) {
    flash_sync();
    start_anew("reset");
}

void board_watchdog_reset(void) {
    start_anew("watchdog");
}

// A crash of the firmware in a slot is what a panic is on the chip: a reset. The program itself
// dies of it, for whoever is working on it to see.
static void panic(int signal) {
    (void)signal;
    start_anew("panic");
}

static void catch_panics(void) {
    const struct sigaction action = {.sa_handler = panic, .sa_flags = SA_NODEFER | SA_RESETHAND};
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < MP_ARRAY_SIZE(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}

int board_reset_cause(void) {
    const char *cause = getenv(BOARD_RESET_CAUSE);
    return cause == NULL                ? BOARD_POWER_ON
           : !strcmp(cause, "watchdog") ? BOARD_WATCHDOG
           : !strcmp(cause, "panic")    ? BOARD_HARD
                                        : BOARD_SOFT;
}

// Only frozen modules and flash on a board; a script sees MICROPYPATH and its own folder first.
static void set_sys_path(const char *script) {
    mp_sys_path = mp_obj_new_list(0, NULL);
    if (script == NULL) {
        mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR_));
        mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(qstr_from_str(".frozen")));
        mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(qstr_from_str("/lib")));
        return;
    }
    const char *slash = strrchr(script, '/');
    mp_obj_list_append(mp_sys_path, slash == NULL
                                        ? MP_OBJ_NEW_QSTR(MP_QSTR_)
                                        : mp_obj_new_str_via_qstr(script, slash - script));
    const char *path = getenv("MICROPYPATH");
    while (path != NULL && *path != '\0') {
        const char *end = strchrnul(path, ':');
        mp_obj_list_append(mp_sys_path, mp_obj_new_str_via_qstr(path, end - path));
        path = *end == ':' ? end + 1 : end;
    }
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(qstr_from_str(".frozen")));
}

static void start_python(void *heap, const char *script) {
    gc_init(heap, (char *)heap + options.heap);
    mp_init();
    set_sys_path(script);
    mp_obj_list_init(MP_OBJ_TO_PTR(mp_sys_argv), 0);
    readline_init0();
}

// ---- A board ----

static void run_board(void *heap) {
    if (!console_open_pty(options.pty, options.tether)) {
        exit(1);
    }
    board_descriptors_end = dup(STDERR_FILENO); // the lowest that is free
    close(board_descriptors_end);
    for (;;) {
        start_python(heap, NULL);
        pyexec_frozen_module("_boot.py", false);
        int ret = options.bare ? 0 : pyexec_file_if_exists("boot.py");
        if (!(ret & PYEXEC_FORCED_EXIT)) {
            if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && ret != 0) {
                ret = pyexec_file_if_exists("main.py");
            }
        }
        while (!(ret & PYEXEC_FORCED_EXIT)) {
            ret = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl()
                                                           : pyexec_friendly_repl();
        }
        board_stop_watchdog();
        if (mp_thread_deinit() > 0) {
            fprintf(stderr, "wgdisplay: a thread did not stop at the soft reset\n");
        }
        gc_sweep_all();
        close_all_but_the_boards();
        mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
        board_soft_reset_pins();
        mp_deinit();
        setenv(BOARD_RESET_CAUSE, "reset", 1);
    }
}

// ---- A script ----

// Returns the exit code: that of SystemExit, or 1 with the traceback on stderr.
static int run_script(void *heap, char **argv) {
    console_open_stdio();
    char *script = realpath(argv[0], NULL);
    if (script == NULL) {
        fprintf(stderr, "wgdisplay: %s: %s\n", argv[0], strerror(errno));
        return 2;
    }
    start_python(heap, script);
    mp_obj_t args[2] = {
        MP_OBJ_TYPE_GET_SLOT(&mp_type_vfs_posix, make_new)(&mp_type_vfs_posix, 0, 0, NULL),
        MP_OBJ_NEW_QSTR(MP_QSTR__slash_),
    };
    mp_vfs_mount(2, args, (mp_map_t *)&mp_const_empty_map);
    MP_STATE_VM(vfs_cur) = MP_STATE_VM(vfs_mount_table);
    for (char **arg = argv; *arg != NULL; arg++) {
        mp_obj_list_append(mp_sys_argv, mp_obj_new_str_from_cstr(*arg));
    }
    volatile int ret = 0;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_lexer_t *lex = mp_lexer_new_from_file(qstr_from_str(script));
        mp_store_global(MP_QSTR___file__, MP_OBJ_NEW_QSTR(lex->source_name));
        mp_parse_tree_t tree = mp_parse(lex, MP_PARSE_FILE_INPUT);
        mp_call_function_0(mp_compile(&tree, qstr_from_str(argv[0]), false));
        mp_handle_pending(true);
        nlr_pop();
    } else {
        mp_handle_pending(false);
        mp_obj_base_t *exception = nlr.ret_val;
        if (mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(exception->type),
                                    MP_OBJ_FROM_PTR(&mp_type_SystemExit))) {
            mp_obj_t value = mp_obj_exception_get_value(MP_OBJ_FROM_PTR(exception));
            mp_int_t code = 0;
            if (value != mp_const_none && !mp_obj_get_int_maybe(value, &code)) {
                mp_obj_print_helper(&mp_stderr_print, value, PRINT_STR);
                mp_print_str(&mp_stderr_print, "\n");
                code = 1;
            }
            ret = code & 255;
        } else {
            mp_obj_print_exception(&mp_stderr_print, MP_OBJ_FROM_PTR(exception));
            ret = 1;
        }
    }
    mp_thread_deinit();
    gc_sweep_all();
    mp_deinit();
    free(script);
    return ret;
}

// ---- Start ----

static char **parse_options(int argc, char **argv) {
    static const struct option known[] = {
        {"flash", required_argument, NULL, 'f'},
        {"pty", required_argument, NULL, 'p'},
        {"panel", required_argument, NULL, 'd'},
        {"heap", required_argument, NULL, 'm'},
        {"script", required_argument, NULL, 's'},
        {"faults", required_argument, NULL, 'e'},
        {"tether", no_argument, NULL, 't'},
        {"bare", no_argument, NULL, 'b'},
        {"chip", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    // What follows --script FILE belongs to the script.
    while (options.script == NULL && (option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        switch (option) {
        case 'f':
            options.flash = optarg;
            break;
        case 'p':
            options.pty = optarg;
            break;
        case 'd':
            options.panel = optarg;
            break;
        case 'm':
            options.heap = strtoul(optarg, NULL, 0);
            break;
        case 'c':
            options.chip = strtoul(optarg, NULL, 0) * 1024 * 1024;
            break;
        case 's':
            options.script = optarg;
            break;
        case 't':
            options.tether = true;
            break;
        case 'e':
            options.faults = optarg;
            break;
        case 'b':
            options.bare = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(2);
        }
    }
    bool board = options.script == NULL;
    if ((board && (options.flash == NULL || options.pty == NULL || optind < argc)) ||
        options.heap < 64 * 1024 ||
        (options.chip != FLASH_SIZE && options.chip != FLASH_SIZE_SMALL)) {
        usage(stderr);
        exit(2);
    }
    return argv + optind - 1; // the script's name comes first
}

static MP_NOINLINE int start(int argc, char **argv) {
    char **script_argv = parse_options(argc, argv);
    if (!flash_open(options.flash, options.chip)) {
        return 1;
    }
    if (options.script == NULL) {
        if (bootloader_start(arguments)) {
            catch_panics();
        }
    } else {
        bootloader_pretend();
    }
    if (!panel_open(options.panel)) {
        return 1;
    }
    void *heap = malloc(options.heap);
    if (heap == NULL) {
        fprintf(stderr, "wgdisplay: no memory for a heap of %zu bytes\n", options.heap);
        return 1;
    }
    if (options.script != NULL) {
        return run_script(heap, script_argv);
    }
    run_board(heap);
    return 0;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    arguments = argv;
    mp_thread_init();
    mp_cstack_init_with_sp_here(STACK_SIZE);
    return start(argc, argv);
}

void nlr_jump_fail(void *val) {
    fprintf(stderr, "wgdisplay: an exception outside of Python: %s\n",
            mp_obj_get_type_str(MP_OBJ_FROM_PTR(val)));
    abort();
}
