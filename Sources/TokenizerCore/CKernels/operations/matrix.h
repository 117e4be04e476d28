static void multiply(
    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, const float *panels, float *c, ptrdiff_t ldc,
    const float *bias, revq_activation activation) {
    float strip[TILE_ROWS * DEPTH] __attribute__((aligned(64)));
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        ptrdiff_t depth = k - start < DEPTH ? k - start : DEPTH;
        epilogue end = {start == 0 ? bias : NULL, start > 0, start + depth == k ? activation : REVQ_IDENTITY};
        for (ptrdiff_t row = 0; row < m; row += TILE_ROWS) {
            int rows = m - row < TILE_ROWS ? (int)(m - row) : TILE_ROWS;
            for (int i = 0; i < rows; i++) fill_strip(strip, i, 0, depth, a + (row + i) * lda + start);
            multiply_strip(rows, n, depth, strip, panels + start * PANEL, k * PANEL, c + row * ldc, ldc, &end);
        }
    }
}
