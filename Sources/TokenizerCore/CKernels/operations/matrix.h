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

typedef float four_floats __attribute__((vector_size(16)));
typedef float four_floats_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

/// Four rows of four floats, `lda` apart, become four columns in rows LINE apart.
INLINE void transpose_four(const float *a, ptrdiff_t lda, float *to) {
    four_floats rows[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) rows[i] = *(const four_floats_unaligned *)(a + i * lda);
    four_floats low[2] = {__builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5), __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5)};
    four_floats high[2] = {__builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7), __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7)};
    *(four_floats_unaligned *)to = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
    *(four_floats_unaligned *)(to + LINE) = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
    *(four_floats_unaligned *)(to + 2 * LINE) = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
    *(four_floats_unaligned *)(to + 3 * LINE) = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
}

/// Fills a strip with the first `rows` columns of a[depth, …].
INLINE void fill_strip_transposed(float *strip, int rows, ptrdiff_t depth, const float *a, ptrdiff_t lda) {
    for (ptrdiff_t start = 0; start < depth; start += LINE, strip += TILE_ROWS * LINE) {
        ptrdiff_t count = depth - start < LINE ? depth - start : LINE;
        const float *from = a + start * lda;
        int row = 0;
        for (; row + 4 <= rows && count == LINE; row += 4)
            for (int k = 0; k < LINE; k += 4) transpose_four(from + k * lda + row, lda, strip + row * LINE + k);
        for (; row < rows; row++)
            for (ptrdiff_t k = 0; k < count; k++) strip[row * LINE + k] = from[k * lda + row];
    }
}

static void add_transposed_product(
    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, const float *panels, float *c, ptrdiff_t ldc) {
    float strip[TILE_ROWS * DEPTH] __attribute__((aligned(64)));
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        ptrdiff_t depth = k - start < DEPTH ? k - start : DEPTH;
        for (ptrdiff_t row = 0; row < m; row += TILE_ROWS) {
            int rows = m - row < TILE_ROWS ? (int)(m - row) : TILE_ROWS;
            fill_strip_transposed(strip, rows, depth, a + start * lda + row, lda);
            multiply_strip(rows, n, depth, strip, panels + start * PANEL, k * PANEL, c + row * ldc, ldc, &add_sums);
        }
    }
}
