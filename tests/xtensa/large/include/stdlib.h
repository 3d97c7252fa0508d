/* What Mbed TLS uses of it. */
#pragma once
#include <stddef.h>
int rand(void);
