// Bytes: a table of 256 words, one load of a byte and one of a word for each byte.
#define SIZE 4096

static unsigned table[256];
static unsigned char data[SIZE];

__attribute__((export_name("run"))) int run(int rounds) {
    for (unsigned i = 0; i < 256; i++) {
        unsigned value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        }
        table[i] = value;
    }
    for (int i = 0; i < SIZE; i++) {
        data[i] = (unsigned char)(i * 7);
    }
    unsigned crc = 0;
    for (int round = 0; round < rounds; round++) {
        crc = ~crc;
        for (int i = 0; i < SIZE; i++) {
            crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
        }
        crc = ~crc;
    }
    return (int)crc;
}
