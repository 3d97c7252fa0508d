/* Mbed TLS names the type and, as it is configured here, asks for no time. */
#pragma once
typedef long long time_t;
