/*
 * The engine's limits. Each can be set by the build (-DWG_...=n); those that instantiate() takes as
 * an argument are defaults here.
 */
#ifndef WG_SETTINGS_H
#define WG_SETTINGS_H

/* Wasm stack of an instance, in bytes: values and locals of all active functions. */
#ifndef WG_STACK_SIZE
#define WG_STACK_SIZE (64 * 1024)
#endif

/* Least and most of the above that may be asked for. */
#define WG_STACK_SIZE_MIN (4 * 1024)
#define WG_STACK_SIZE_MAX (1024 * 1024)

/* Linear memory of an instance, in pages of 64 KiB. memory.grow beyond it returns -1. */
#ifndef WG_PAGES
#define WG_PAGES 64
#endif
#define WG_PAGES_MAX 1024

/*
 * Native stack that a run may use, in bytes. Calls in wasm take none of it; what does is the
 * compiler, when a function is called for the first time: on Xtensa 192 bytes for each block within
 * a block. A `match` of 200 arms is 200 of them.
 */
#ifndef WG_NATIVE_STACK
#if defined(ESP_PLATFORM)
#define WG_NATIVE_STACK (48 * 1024)
#else
#define WG_NATIVE_STACK (256 * 1024)
#endif
#endif
#define WG_NATIVE_STACK_MIN (8 * 1024)
#define WG_NATIVE_STACK_MAX (8 * 1024 * 1024)

/*
 * Native stack below that limit, which is not given to the wasm code: what the deepest engine
 * function without a check of its own takes, with the C library's, and a host function in inline
 * mode until MicroPython checks by itself.
 */
#ifndef WG_NATIVE_RESERVE
#if defined(ESP_PLATFORM)
#define WG_NATIVE_RESERVE (3 * 1024)
#else
#define WG_NATIVE_RESERVE (16 * 1024)
#endif
#endif

/* Memory of the engine for one instance beyond its linear memory, in bytes: tables, compiled code,
 * stack. */
#ifndef WG_HEAP_SIZE
#define WG_HEAP_SIZE (4 * 1024 * 1024)
#endif

/*
 * Calls and loop iterations between two looks at cancel, deadline and fuel; 64 operations in a row
 * count as one, too. A thousand of them take about 10 us on a PC and 1 ms on an ESP32-S3, and at
 * most about 1 ms and 100 ms, of the slowest operations that there are.
 */
#ifndef WG_SLICE
#if defined(ESP_PLATFORM)
#define WG_SLICE 1000
#else
#define WG_SLICE 10000
#endif
#endif

/*
 * For so many microseconds a run is the thread's of Python, before it is the engine's: most calls
 * of a widget that has run before are over by then, and so is the hand-over saved. 0 on the chip,
 * where the engine has a core of its own.
 */
#ifndef WG_BRIEF_US
#if defined(ESP_PLATFORM)
#define WG_BRIEF_US 0
#else
#define WG_BRIEF_US 1000
#endif
#endif

/* The same as WG_SLICE between two looks at the clock meanwhile. */
#define WG_BRIEF_SLICE 500

/* Can an instance have a native thread of its own? Otherwise only call() is there. */
#ifndef WG_THREADS
#if defined(ESP_PLATFORM) || defined(__unix__)
#define WG_THREADS 1
#else
#define WG_THREADS 0
#endif
#endif

/* Priority of the engine's FreeRTOS task: that of MicroPython's own, which is on the other core. */
#define WG_TASK_PRIORITY 1

/* An instance's thread goes when it was idle for so long. One that has no instance stays for the
 * next; it takes the stack above. */
#define WG_IDLE_MS 5

/* For so many microseconds the two sides of a task watch for each other before they wait. */
#define WG_WATCH_US 50

/* After so many times for nothing in a row they wait at once, so many times. */
#define WG_WATCH_MISSES 3
#define WG_WATCH_SKIPS 30

/* The longest that poll() waits, in microseconds. */
#define WG_POLL_US 1000

/* On Linux, by how much the engine's threads are nicer than the others: on a PC with few cores
 * these draw and answer while widgets compute, and a widget still gets a third of what they would.
 */
#define WG_THREAD_NICE 5

/*
 * Memory inside the chip that the engine's code and wasm stacks leave free, in bytes, on a board
 * that has PSRAM too: for WiFi, TLS, DMA and the stacks of tasks.
 */
#ifndef WG_INTERNAL_KEPT
#define WG_INTERNAL_KEPT (112 * 1024)
#endif

/*
 * The engine's core: the one that MicroPython does not use. ports/esp32/mphalport.h has
 * MicroPython's as MP_TASK_COREID, but the engine can't include that; a build that changes it gives
 * both.
 */
#ifndef WG_TASK_CORE
#if defined(MP_TASK_COREID)
#define WG_TASK_CORE (MP_TASK_COREID == 0 ? 1 : 0)
#else
#define WG_TASK_CORE 0
#endif
#endif

/* Parameters of one function at the boundary between wasm and host, and results. */
#define WG_MAX_PARAMS 32
#define WG_MAX_RESULTS 16

/* Runs within runs: a host function's call into its instance, whose host functions call again... */
#define WG_MAX_DEPTH 8

/* Bytes of an error's message, the final 0 included. */
#define WG_MESSAGE_SIZE 192

/* Bytes that are told of a function's name in an error, the final 0 included. */
#define WG_FUNCTION_NAME_SIZE 64

/* Size of a module, in bytes. */
#ifndef WG_MODULE_SIZE
#define WG_MODULE_SIZE (1024 * 1024)
#endif

/* Bytes of all wasm3.buffer() that are open: a widget's file of 1 MiB and some answers of 1 MiB. */
#ifndef WG_BUFFERS_SIZE
#define WG_BUFFERS_SIZE (4 * 1024 * 1024)
#endif

#endif
