// Memory: the sieve of Eratosthenes, a byte for each number.
#define MOST 65536

static unsigned char composite[MOST];

__attribute__((export_name("run"))) int run(int limit) {
    int primes = 0;
    for (int i = 0; i < limit; i++) {
        composite[i] = 0;
    }
    for (int i = 2; i < limit; i++) {
        if (!composite[i]) {
            primes++;
            for (int j = i + i; j < limit; j += i) {
                composite[j] = 1;
            }
        }
    }
    return primes;
}
