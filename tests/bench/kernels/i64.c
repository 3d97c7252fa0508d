// 64-bit integers: shifts, multiplications and a division of a pseudo-random sequence.
__attribute__((export_name("run"))) int run(int rounds) {
    unsigned long long state = 88172645463325252ull, sum = 0;
    for (int i = 0; i < rounds; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        sum += state * 2685821657736338717ull;
        sum ^= state % 1000003;
    }
    return (int)(sum ^ sum >> 32);
}
