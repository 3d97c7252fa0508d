// Double precision: the points of a grid under z -> z^2 + c, until they leave or 32 steps are done.
__attribute__((export_name("run"))) int run(int size) {
    int steps = 0;
    for (int row = 0; row < size; row++) {
        for (int column = 0; column < size; column++) {
            double cr = 3.0 * (double)column / (double)size - 2.0;
            double ci = 2.0 * (double)row / (double)size - 1.0;
            double r = 0, i = 0;
            for (int step = 0; step < 32 && r * r + i * i < 4.0; step++) {
                double next = r * r - i * i + cr;
                i = 2.0 * r * i + ci;
                r = next;
                steps++;
            }
        }
    }
    return steps;
}
