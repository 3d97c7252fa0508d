// See qr.h. Section numbers are those of ISO/IEC 18004:2015.

#include "qr.h"

#include <stdbool.h>
#include <string.h>

#define LEVELS (4)
#define CODEWORDS_MAX (346)
#define EC_MAX (30)
#define BYTE_MODE (4)

// A module's second bit while the code is made: it belongs to a function pattern, which data and
// masks leave alone.
#define FUNCTION (2)
#define DARK (1)

// Codewords of a symbol, data and error correction (table 1).
static const uint16_t codewords[QR_VERSIONS] = {26, 44, 70, 100, 134, 172, 196, 242, 292, 346};

// Error correction codewords in each block, and blocks (table 9), for the levels L, M, Q, H.
static const uint8_t ec_codewords[LEVELS][QR_VERSIONS] = {
    {7, 10, 15, 20, 26, 18, 20, 24, 30, 18},
    {10, 16, 26, 18, 24, 16, 18, 22, 22, 26},
    {13, 22, 18, 26, 18, 24, 18, 22, 20, 24},
    {17, 28, 22, 16, 22, 28, 26, 26, 24, 28},
};
static const uint8_t ec_blocks[LEVELS][QR_VERSIONS] = {
    {1, 1, 1, 1, 1, 2, 2, 2, 2, 4},
    {1, 1, 1, 2, 2, 4, 4, 4, 5, 5},
    {1, 1, 2, 2, 4, 4, 6, 6, 8, 8},
    {1, 1, 2, 4, 4, 4, 5, 6, 8, 8},
};
static const uint8_t level_bits[LEVELS] = {1, 0, 3, 2}; // table 12

// Centres of the alignment patterns behind the first, which is 6 (annex E); 0: no more.
static const uint8_t alignment[QR_VERSIONS][2] = {
    {0, 0}, {18, 0}, {22, 0}, {26, 0}, {30, 0}, {34, 0}, {22, 38}, {24, 42}, {26, 46}, {28, 50},
};

typedef struct {
    uint8_t *modules;
    int side;
} symbol_t;

static uint8_t *module_at(const symbol_t *symbol, int x, int y) {
    return symbol->modules + y * symbol->side + x;
}

static void set_function(const symbol_t *symbol, int x, int y, bool dark) {
    if (x >= 0 && y >= 0 && x < symbol->side && y < symbol->side) {
        *module_at(symbol, x, y) = dark ? FUNCTION | DARK : FUNCTION;
    }
}

static int distance(int a, int b) {
    return a > b ? a - b : b - a;
}

// Concentric squares around a centre: finder patterns with their separators (reach 4, 6.3.3, 6.3.4)
// and alignment patterns (reach 2, 6.3.6).
static void set_target(const symbol_t *symbol, int cx, int cy, int reach) {
    for (int y = cy - reach; y <= cy + reach; y++) {
        for (int x = cx - reach; x <= cx + reach; x++) {
            int dx = distance(x, cx), dy = distance(y, cy), ring = dx > dy ? dx : dy;
            set_function(symbol, x, y, reach == 4 ? ring != 2 && ring != 4 : ring != 1);
        }
    }
}

// 15 bits of format information in both places (7.9). Also keeps their place before the mask is
// known.
static void set_format(const symbol_t *symbol, int level, int mask) {
    int data = level_bits[level] << 3 | mask, rest = data;
    for (int i = 0; i < 10; i++) {
        rest = (rest << 1) ^ (rest >> 9) * 0x537;
    }
    int bits = (data << 10 | rest) ^ 0x5412, side = symbol->side;
    for (int i = 0; i < 15; i++) {
        bool dark = bits >> i & 1;
        // Around the top left finder; column and row 6 belong to the timing patterns.
        int along = i < 6 ? i : i < 8 ? i + 1 : i == 8 ? 7 : 14 - i;
        set_function(symbol, i < 8 ? 8 : along, i < 8 ? along : 8, dark);
        // Beside the other two.
        set_function(symbol, i < 8 ? side - 1 - i : 8, i < 8 ? 8 : side - 15 + i, dark);
    }
    set_function(symbol, 8, side - 8, true);
}

// 18 bits of version information in both places (7.10).
static void set_version(const symbol_t *symbol, int version) {
    int rest = version;
    for (int i = 0; i < 12; i++) {
        rest = (rest << 1) ^ (rest >> 11) * 0x1f25;
    }
    int32_t bits = (int32_t)version << 12 | rest;
    for (int i = 0; i < 18; i++) {
        int a = symbol->side - 11 + i % 3, b = i / 3;
        set_function(symbol, a, b, bits >> i & 1);
        set_function(symbol, b, a, bits >> i & 1);
    }
}

static void set_patterns(const symbol_t *symbol, int version) {
    int side = symbol->side;
    for (int i = 0; i < side; i++) {
        set_function(symbol, 6, i, i % 2 == 0);
        set_function(symbol, i, 6, i % 2 == 0);
    }
    set_target(symbol, 3, 3, 4);
    set_target(symbol, side - 4, 3, 4);
    set_target(symbol, 3, side - 4, 4);
    int centres[3] = {6, alignment[version - 1][0], alignment[version - 1][1]};
    int count = centres[1] == 0 ? 0 : centres[2] == 0 ? 2 : 3;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            bool finder =
                (i == 0 && j == 0) || (i == 0 && j == count - 1) || (i == count - 1 && j == 0);
            if (!finder) {
                set_target(symbol, centres[i], centres[j], 2);
            }
        }
    }
    set_format(symbol, 0, 0);
    if (version >= 7) {
        set_version(symbol, version);
    }
}

// Product in GF(256) with the polynomial 11d (7.5.2).
static uint8_t multiply(uint8_t a, uint8_t b) {
    unsigned product = 0;
    for (int i = 7; i >= 0; i--) {
        product = product << 1 ^ (product >> 7) * 0x11d;
        product ^= (b >> i & 1u) * a;
    }
    return (uint8_t)product;
}

// The generator polynomial of so many codewords, highest power first, without its leading 1.
static void make_generator(uint8_t *generator, int degree) {
    memset(generator, 0, (size_t)degree);
    generator[degree - 1] = 1;
    uint8_t root = 1;
    for (int i = 0; i < degree; i++) {
        for (int j = 0; j < degree; j++) {
            generator[j] = multiply(generator[j], root);
            if (j + 1 < degree) {
                generator[j] ^= generator[j + 1];
            }
        }
        root = multiply(root, 2);
    }
}

static void make_correction(const uint8_t *data, int size, const uint8_t *generator, int degree,
                            uint8_t *out) {
    memset(out, 0, (size_t)degree);
    for (int i = 0; i < size; i++) {
        uint8_t factor = data[i] ^ out[0];
        memmove(out, out + 1, (size_t)degree - 1);
        out[degree - 1] = 0;
        for (int j = 0; j < degree; j++) {
            out[j] ^= multiply(generator[j], factor);
        }
    }
}

static int data_codewords(int version, int level) {
    return codewords[version - 1] -
           ec_codewords[level][version - 1] * ec_blocks[level][version - 1];
}

// Bytes of text that fit beside mode, count and terminator.
static int capacity(int version, int level) {
    return data_codewords(version, level) - (version < 10 ? 2 : 3);
}

// Mode, count, the bytes and padding (7.4). `out` has room for all data codewords.
static void make_data(const uint8_t *bytes, int size, int version, int total, uint8_t *out) {
    int at = 0;
    uint8_t held = BYTE_MODE; // four bits that wait for their other half
    if (version >= 10) {
        out[at++] = (uint8_t)(held << 4 | size >> 12);
        held = size >> 8 & 15;
    }
    out[at++] = (uint8_t)(held << 4 | (size >> 4 & 15));
    held = size & 15;
    for (int i = 0; i < size; i++) {
        out[at++] = (uint8_t)(held << 4 | bytes[i] >> 4);
        held = bytes[i] & 15;
    }
    out[at++] = (uint8_t)(held << 4);
    for (uint8_t padding = 0xec; at < total; padding ^= 0xec ^ 0x11) {
        out[at++] = padding;
    }
}

// Splits the data into blocks, adds error correction and interleaves both (7.5, 7.6).
static void interleave(const uint8_t *data, int version, int level, uint8_t *out) {
    int blocks = ec_blocks[level][version - 1], degree = ec_codewords[level][version - 1];
    int total = data_codewords(version, level);
    int shorter = total / blocks, longer_from = blocks - total % blocks;
    uint8_t generator[EC_MAX], correction[EC_MAX];
    make_generator(generator, degree);
    for (int block = 0; block < blocks; block++) {
        int extra = block >= longer_from, size = shorter + extra;
        for (int i = 0; i < size; i++) {
            int place = i < shorter ? i * blocks + block : shorter * blocks + block - longer_from;
            out[place] = data[i];
        }
        make_correction(data, size, generator, degree, correction);
        for (int i = 0; i < degree; i++) {
            out[total + i * blocks + block] = correction[i];
        }
        data += size;
    }
}

// Fills the modules that belong to no pattern, two columns at a time, up and down (7.7.3).
static void place(const symbol_t *symbol, const uint8_t *stream, int size) {
    int bit = 0, side = symbol->side;
    for (int right = side - 1; right > 0; right -= 2) {
        if (right == 6) {
            right = 5;
        }
        bool up = ((right + 1) & 2) == 0;
        for (int i = 0; i < side; i++) {
            for (int x = right; x > right - 2; x--) {
                uint8_t *module = module_at(symbol, x, up ? side - 1 - i : i);
                if (!(*module & FUNCTION) && bit < size * 8) {
                    *module = stream[bit >> 3] >> (7 - (bit & 7)) & 1;
                    bit++;
                }
            }
        }
    }
}

static bool is_masked(int mask, int x, int y) { // 7.8.2
    switch (mask) {
    case 0:
        return (x + y) % 2 == 0;
    case 1:
        return y % 2 == 0;
    case 2:
        return x % 3 == 0;
    case 3:
        return (x + y) % 3 == 0;
    case 4:
        return (x / 3 + y / 2) % 2 == 0;
    case 5:
        return x * y % 2 + x * y % 3 == 0;
    case 6:
        return (x * y % 2 + x * y % 3) % 2 == 0;
    default:
        return ((x + y) % 2 + x * y % 3) % 2 == 0;
    }
}

static void apply_mask(const symbol_t *symbol, int mask) {
    for (int y = 0; y < symbol->side; y++) {
        for (int x = 0; x < symbol->side; x++) {
            uint8_t *module = module_at(symbol, x, y);
            if (!(*module & FUNCTION) && is_masked(mask, x, y)) {
                *module ^= DARK;
            }
        }
    }
}

// Penalty of one row or column: long runs (N1) and what looks like a finder pattern (N3).
static int line_penalty(const uint8_t *first, int step, int side) {
    int penalty = 0, run = 0, last = -1;
    unsigned window = 0;
    for (int i = 0; i < side; i++) {
        int dark = first[i * step] & DARK;
        run = dark == last ? run + 1 : 1;
        last = dark;
        penalty += run == 5 ? 3 : run > 5 ? 1 : 0;
        window = (window << 1 | (unsigned)dark) & 0x7ff;
        if (i >= 10 && (window == 0x5d0 || window == 0x05d)) {
            penalty += 40;
        }
    }
    return penalty;
}

static long penalty_of(const symbol_t *symbol) { // 7.8.3
    int side = symbol->side;
    long penalty = 0, dark = 0;
    for (int i = 0; i < side; i++) {
        penalty += line_penalty(module_at(symbol, 0, i), 1, side);
        penalty += line_penalty(module_at(symbol, i, 0), side, side);
        for (int j = 0; j < side; j++) {
            const uint8_t *m = module_at(symbol, j, i);
            dark += *m & DARK;
            if (i + 1 < side && j + 1 < side) {
                int sum = (m[0] & 1) + (m[1] & 1) + (m[side] & 1) + (m[side + 1] & 1);
                penalty += sum == 0 || sum == 4 ? 3 : 0;
            }
        }
    }
    long off_half = dark * 20 - (long)side * side * 10; // in twentieths of the area: 5 % steps
    off_half = off_half < 0 ? -off_half : off_half;
    return penalty + off_half / ((long)side * side) * 10;
}

int qr_encode(const uint8_t *bytes, size_t size, uint8_t modules[QR_MODULES_MAX]) {
    if (size > QR_BYTES_MAX) {
        return 0;
    }
    int version = 1, level = LEVELS - 1;
    while (capacity(version, 0) < (int)size) {
        version++;
    }
    while (capacity(version, level) < (int)size) {
        level--;
    }
    uint8_t data[CODEWORDS_MAX], stream[CODEWORDS_MAX];
    make_data(bytes, (int)size, version, data_codewords(version, level), data);
    interleave(data, version, level, stream);

    symbol_t symbol = {modules, 17 + 4 * version};
    memset(modules, 0, QR_MODULES_MAX);
    set_patterns(&symbol, version);
    place(&symbol, stream, codewords[version - 1]);
    int best = 0;
    long lowest = -1;
    for (int mask = 0; mask < 8; mask++) {
        apply_mask(&symbol, mask);
        set_format(&symbol, level, mask);
        long penalty = penalty_of(&symbol);
        if (lowest < 0 || penalty < lowest) {
            lowest = penalty;
            best = mask;
        }
        apply_mask(&symbol, mask);
    }
    apply_mask(&symbol, best);
    set_format(&symbol, level, best);
    for (int i = 0; i < symbol.side * symbol.side; i++) {
        modules[i] &= DARK;
    }
    return symbol.side;
}
