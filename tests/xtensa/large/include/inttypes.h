/* What Mbed TLS uses of it. */
#pragma once
#include <stdint.h>
#define PRId64 "lld"
#define PRIx64 "llx"
