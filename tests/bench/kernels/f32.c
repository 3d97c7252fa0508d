// Single precision: the points of a grid under z -> z^2 + c, until they leave or 32 steps are done.
__attribute__((export_name("run"))) int run(int size) {
    int steps = 0;
    for (int row = 0; row < size; row++) {
        for (int column = 0; column < size; column++) {
            float cr = 3.0f * (float)column / (float)size - 2.0f;
            float ci = 2.0f * (float)row / (float)size - 1.0f;
            float r = 0, i = 0;
            for (int step = 0; step < 32 && r * r + i * i < 4.0f; step++) {
                float next = r * r - i * i + cr;
                i = 2.0f * r * i + ci;
                r = next;
                steps++;
            }
        }
    }
    return steps;
}
