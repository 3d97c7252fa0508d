/* Mbed TLS includes it and, as it is configured here, uses nothing of it. */
#pragma once
#include <stddef.h>
