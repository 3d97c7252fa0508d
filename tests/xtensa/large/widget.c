/*
 * A widget as large as one in Rust: Mbed TLS, all that needs no operating system, in one component
 * of more than 100 KB with a megabyte of shadow stack (17 pages). It hashes, encrypts, signs and
 * verifies; its configuration says what:
 *
 *     digest TEXT     SHA-1, SHA-256 and SHA-512 of the text, in hexadecimal
 *     sign TEXT       an ECDSA signature (P-256, deterministic as in RFC 6979), after it was
 * verified test NAME       Mbed TLS's own self-test of that part
 */
#include <mbedtls/aes.h>
#include <mbedtls/aria.h>
#include <mbedtls/base64.h>
#include <mbedtls/bignum.h>
#include <mbedtls/camellia.h>
#include <mbedtls/ccm.h>
#include <mbedtls/chacha20.h>
#include <mbedtls/chachapoly.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/des.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hmac_drbg.h>
#include <mbedtls/md.h>
#include <mbedtls/md5.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/nist_kw.h>
#include <mbedtls/poly1305.h>
#include <mbedtls/ripemd160.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha3.h>
#include <mbedtls/sha512.h>
#include <stdlib.h>
#include <string.h>

#include "wg_widget.h"

WG_WIDGET("Large", "1.0.0", 60, WG_SCHEMA);

/* ---- What Mbed TLS wants of a C library, beyond the SDK's ---- */

int strcmp(const char *a, const char *b) {
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t size) {
    for (; size > 0; size--, a++, b++) {
        if (*a != *b || *a == 0) {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

/* Numbers for tests, the same in every run. */
int rand(void) {
    static uint32_t state = 1;
    state = state * 1103515245u + 12345u;
    return (int)(state >> 16 & 0x7fff);
}

/* ---- The widget ---- */

static const struct {
    const char *name;
    int (*run)(int verbose);
} tests[] = {
    {"aes", mbedtls_aes_self_test},
    {"aria", mbedtls_aria_self_test},
    {"base64", mbedtls_base64_self_test},
    {"camellia", mbedtls_camellia_self_test},
    {"ccm", mbedtls_ccm_self_test},
    {"chacha20", mbedtls_chacha20_self_test},
    {"chachapoly", mbedtls_chachapoly_self_test},
    {"ctr_drbg", mbedtls_ctr_drbg_self_test},
    {"des", mbedtls_des_self_test},
    {"ecp", mbedtls_ecp_self_test},
    {"gcm", mbedtls_gcm_self_test},
    {"hmac_drbg", mbedtls_hmac_drbg_self_test},
    {"md5", mbedtls_md5_self_test},
    {"mpi", mbedtls_mpi_self_test},
    {"nist_kw", mbedtls_nist_kw_self_test},
    {"poly1305", mbedtls_poly1305_self_test},
    {"ripemd160", mbedtls_ripemd160_self_test},
    {"rsa", mbedtls_rsa_self_test},
    {"sha1", mbedtls_sha1_self_test},
    {"sha256", mbedtls_sha256_self_test},
    {"sha3", mbedtls_sha3_self_test},
    {"sha512", mbedtls_sha512_self_test},
};

static void put_hex(wg_text *out, const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        wg_put_char(out, "0123456789abcdef"[bytes[i] >> 4]);
        wg_put_char(out, "0123456789abcdef"[bytes[i] & 15]);
    }
    wg_put_char(out, '\n');
}

static void digest(wg_str text, wg_text *out) {
    static const mbedtls_md_type_t types[] = {MBEDTLS_MD_SHA1, MBEDTLS_MD_SHA256,
                                              MBEDTLS_MD_SHA512};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        const mbedtls_md_info_t *info = mbedtls_md_info_from_type(types[i]);
        unsigned char result[MBEDTLS_MD_MAX_SIZE];
        if (mbedtls_md(info, (const unsigned char *)text.ptr, text.len, result) != 0) {
            wg_put(out, "no digest\n");
            return;
        }
        put_hex(out, result, mbedtls_md_get_size(info));
    }
}

static int for_blinding(void *context, unsigned char *to, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i++) {
        to[i] = (unsigned char)rand();
    }
    return 0;
}

static void sign(wg_str text, wg_text *out) {
    unsigned char hash[32], bytes[MBEDTLS_ECDSA_MAX_LEN];
    size_t size = 0;
    mbedtls_sha256((const unsigned char *)text.ptr, text.len, hash, 0);
    mbedtls_ecdsa_context key;
    mbedtls_ecdsa_init(&key);
    int bad = mbedtls_ecp_group_load(&key.MBEDTLS_PRIVATE(grp), MBEDTLS_ECP_DP_SECP256R1);
    bad = bad ? bad
              : mbedtls_mpi_read_binary(&key.MBEDTLS_PRIVATE(d),
                                        (const unsigned char *)"a key for tests only, of 32 byte",
                                        32);
    bad = bad ? bad
              : mbedtls_ecp_mul(&key.MBEDTLS_PRIVATE(grp), &key.MBEDTLS_PRIVATE(Q),
                                &key.MBEDTLS_PRIVATE(d), &key.MBEDTLS_PRIVATE(grp).G, for_blinding,
                                NULL);
    bad = bad ? bad
              : mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256, hash, sizeof(hash), bytes,
                                              sizeof(bytes), &size, for_blinding, NULL);
    bad = bad ? bad : mbedtls_ecdsa_read_signature(&key, hash, sizeof(hash), bytes, size);
    hash[5] ^= 1;
    if (bad != 0 || mbedtls_ecdsa_read_signature(&key, hash, sizeof(hash), bytes, size) == 0) {
        wg_put(out, "no signature\n");
    } else {
        put_hex(out, bytes, size);
    }
    mbedtls_ecdsa_free(&key);
}

static void test(wg_str name, wg_text *out) {
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        if (wg_str_equal(name, wg_cstr(tests[i].name))) {
            wg_put(out, tests[i].name);
            wg_put(out, tests[i].run(0) == 0 ? " passed\n" : " failed\n");
            return;
        }
    }
    wg_put(out, "no such test\n");
}

void wg_run(const wg_context *context, wg_text *out) {
    static unsigned char memory[24 * 1024];
    mbedtls_memory_buffer_alloc_init(memory, sizeof(memory));
    wg_str does = wg_json_string(wg_json_find(context->config, "do"), WG_STR("test"));
    wg_str what = wg_json_string(wg_json_find(context->config, "what"), WG_STR(""));
    if (wg_str_equal(does, WG_STR("digest"))) {
        digest(what, out);
    } else if (wg_str_equal(does, WG_STR("sign"))) {
        sign(what, out);
    } else {
        test(what, out);
    }
}
