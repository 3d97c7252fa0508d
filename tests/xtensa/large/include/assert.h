/* Mbed TLS asserts at compile time only. */
#pragma once
#define static_assert _Static_assert
#define assert(condition) ((void)(condition))
