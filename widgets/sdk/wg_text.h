/* wg_text.h - UTF-8. Internal to the SDK. */
#ifndef WG_TEXT_H
#define WG_TEXT_H

#include "wg_widget.h"

/* Decodes the first character of `str` (not empty) and sets its length in bytes. Malformed (RFC
 * 3629): U+FFFD and length 1. */
uint32_t wg_rune(wg_str str, size_t *len);
/* The same text if it is well-formed, else a copy with U+FFFD for each malformed byte: the host
 * traps on malformed UTF-8, which a widget may well have got from outside. */
wg_str wg_text_valid(wg_str str);

#endif
