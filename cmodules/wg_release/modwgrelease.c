// MicroPython module `wgrelease`: which board this firmware is for, and whether a release was
// signed with a given key. The rest of an update is Python (firmware/wgdisplay/ota).
//
// Signatures are ECDSA over P-256 with SHA-256, checked by Mbed TLS: the library that the board has
// for https anyway, on every port.

#include <string.h>

#include "py/objstr.h"
#include "py/runtime.h"

#if MICROPY_SSL_MBEDTLS

#include "mbedtls/pk.h"
#include "mbedtls/sha256.h"

// A board says in its mpconfigboard.h (or mpconfigvariant.h) who it is. Releases for other boards
// are refused, so two boards that need different firmware must not share a name.
#ifndef WG_BOARD
#error "define WG_BOARD: the name under which firmware for this board is released"
#endif

// `wg release` finds the name in the image by the words before it.
static const char identity[] = "\nWG_BOARD=" WG_BOARD "\n";
#define BOARD_AT (sizeof("\nWG_BOARD=") - 1)

// board() -> the name under which firmware for this board is released.
static mp_obj_t wgrelease_board(void) {
    return mp_obj_new_str(identity + BOARD_AT, sizeof(identity) - BOARD_AT - 2);
}
static MP_DEFINE_CONST_FUN_OBJ_0(wgrelease_board_obj, wgrelease_board);

// SubjectPublicKeyInfo (RFC 5480) of an uncompressed P-256 point: these bytes, then X and Y.
static const uint8_t p256_head[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
};
#define P256_KEY_SIZE (sizeof(p256_head) + 64)

// verify(key, message, signature) -> whether `signature` (DER, as RFC 3279 has it) is one of
// `message` by the owner of `key` (DER, SubjectPublicKeyInfo). ValueError if `key` is not a P-256
// key; a malformed signature is a wrong one.
static mp_obj_t wgrelease_verify(mp_obj_t key_in, mp_obj_t message_in, mp_obj_t signature_in) {
    mp_buffer_info_t key, message, signature;
    mp_get_buffer_raise(key_in, &key, MP_BUFFER_READ);
    mp_get_buffer_raise(message_in, &message, MP_BUFFER_READ);
    mp_get_buffer_raise(signature_in, &signature, MP_BUFFER_READ);
    if (key.len != P256_KEY_SIZE || memcmp(key.buf, p256_head, sizeof(p256_head)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("not a P-256 public key"));
    }
    uint8_t digest[32];
    mbedtls_pk_context context;
    mbedtls_pk_init(&context);
    int ret = mbedtls_pk_parse_public_key(&context, key.buf, key.len);
    if (ret == 0) {
        ret = mbedtls_sha256(message.buf, message.len, digest, 0);
    }
    bool parsed = ret == 0;
    if (parsed) {
        ret = mbedtls_pk_verify(&context, MBEDTLS_MD_SHA256, digest, sizeof(digest), signature.buf,
                                signature.len);
    }
    mbedtls_pk_free(&context);
    if (!parsed) {
        mp_raise_ValueError(MP_ERROR_TEXT("not a P-256 public key"));
    }
    return mp_obj_new_bool(ret == 0);
}
static MP_DEFINE_CONST_FUN_OBJ_3(wgrelease_verify_obj, wgrelease_verify);

static const mp_rom_map_elem_t wgrelease_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wgrelease)},
    {MP_ROM_QSTR(MP_QSTR_board), MP_ROM_PTR(&wgrelease_board_obj)},
    {MP_ROM_QSTR(MP_QSTR_verify), MP_ROM_PTR(&wgrelease_verify_obj)},
};
static MP_DEFINE_CONST_DICT(wgrelease_globals, wgrelease_globals_table);

const mp_obj_module_t wgrelease_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&wgrelease_globals,
};

MP_REGISTER_MODULE(MP_QSTR_wgrelease, wgrelease_module);

#endif
