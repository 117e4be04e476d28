// A 1×1 convolution in which each group of channels sees only itself: one register tile per strip of rows and group.

static void multiply_groups(
    ptrdiff_t rows, ptrdiff_t groups, ptrdiff_t size, const float *x, const float *panels, float *y) {
    static const epilogue set = {NULL, false, REVQ_IDENTITY};
    ptrdiff_t c = groups * size;
    float strip[TILE_ROWS * PANEL] __attribute__((aligned(64)));
    for (ptrdiff_t row = 0; row < rows; row += TILE_ROWS) {
        int count = rows - row < TILE_ROWS ? (int)(rows - row) : TILE_ROWS;
        for (ptrdiff_t group = 0; group < groups; group++) {
            for (int i = 0; i < count; i++) fill_strip(strip, i, 0, size, x + (row + i) * c + group * size);
            multiply_strip(
                count, size, size, strip, panels + group * size * PANEL, size * PANEL, y + row * c + group * size, c, &set);
        }
    }
}
