static void multiply(
    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, const float *panels, float *c, ptrdiff_t ldc,
    const float *bias, revq_activation activation) {
    float strips[STRIPS_IN_BLOCK][DEPTH * STRIP_WIDTH] __attribute__((aligned(64)));
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        ptrdiff_t depth = k - start < DEPTH ? k - start : DEPTH;
        epilogue end = {start == 0 ? bias : NULL, start > 0, start + depth == k ? activation : REVQ_IDENTITY};
        for (ptrdiff_t row = 0; row < m; row += BLOCK_ROWS) {
            ptrdiff_t rows = m - row < BLOCK_ROWS ? m - row : BLOCK_ROWS;
            for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
                ptrdiff_t count = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
                fill_strip_with_rows(strips[i / TILE_ROWS], count, depth, a + (row + i) * lda + start, lda);
            }
            product_shape shape = {rows, n, depth, DEPTH * STRIP_WIDTH, k * PANEL, ldc, end};
            multiply_strips(&shape, &(product){strips[0], panels + start * PANEL, c + row * ldc}, 1);
        }
    }
}

#ifdef MATRIX_TILES
typedef float four_floats __attribute__((vector_size(16)));
typedef float four_floats_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

/// Four rows of four floats, `lda` apart, become four columns in rows STEP apart.
INLINE void transpose_four(const float *a, ptrdiff_t lda, float *to) {
    four_floats rows[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) rows[i] = *(const four_floats_unaligned *)(a + i * lda);
    four_floats low[2] = {__builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5), __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5)};
    four_floats high[2] = {__builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7), __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7)};
    *(four_floats_unaligned *)to = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
    *(four_floats_unaligned *)(to + STEP) = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
    *(four_floats_unaligned *)(to + 2 * STEP) = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
    *(four_floats_unaligned *)(to + 3 * STEP) = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
}

/// Fills a strip with the first `rows` columns of a[depth, …].
INLINE void fill_strip_transposed(float *strip, int rows, ptrdiff_t depth, const float *a, ptrdiff_t lda) {
    float columns[TILE_ROWS][STEP] __attribute__((aligned(64)));
    ptrdiff_t start = 0;
    for (; start + STEP <= depth; start += STEP) {
        const float *from = a + start * lda;
        int row = 0;
        for (; row + 4 <= rows; row += 4)
            for (int k = 0; k < STEP; k += 4) transpose_four(from + k * lda + row, lda, columns[row] + k);
        // What is left over is taken along with rows that have been copied already.
        if (row < rows && rows >= 4)
            for (int k = 0; k < STEP; k += 4) transpose_four(from + k * lda + rows - 4, lda, columns[rows - 4] + k);
        if (rows >= 4) row = rows;
        for (; row < rows; row++)
            for (ptrdiff_t k = 0; k < STEP; k++) columns[row][k] = from[k * lda + row];
        for (row = 0; row < rows; row++) strip_store(strip, row, start, load_step(columns[row]));
    }
    for (int row = 0; row < rows && start < depth; row++) {
        for (ptrdiff_t k = start; k < depth; k++) columns[row][k - start] = a[k * lda + row];
        strip_store(strip, row, start, load_some_step(columns[row], depth - start));
    }
}

/// c[rows, n] (=, +=) aᵀ · panels[depth, n] for a[depth, …] with rows `lda` apart.
static void multiply_transposed(const product_shape *s, const float *a, ptrdiff_t lda, const float *panels, float *c) {
    float strips[STRIPS_IN_BLOCK][DEPTH * STRIP_WIDTH] __attribute__((aligned(64)));
    product_shape block = *s;
    block.strip_step = DEPTH * STRIP_WIDTH;
    for (ptrdiff_t row = 0; row < s->rows; row += BLOCK_ROWS) {
        block.rows = s->rows - row < BLOCK_ROWS ? s->rows - row : BLOCK_ROWS;
        for (ptrdiff_t i = 0; i < block.rows; i += TILE_ROWS) {
            int count = block.rows - i < TILE_ROWS ? (int)(block.rows - i) : TILE_ROWS;
            fill_strip_transposed(strips[i / TILE_ROWS], count, s->depth, a + row + i, lda);
        }
        multiply_strips(&block, &(product){strips[0], panels, c + row * s->ldc}, 1);
    }
}
#endif

static void add_transposed_product(
    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, const float *panels, float *c, ptrdiff_t ldc) {
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        const product_shape shape = {m, n, k - start < DEPTH ? k - start : DEPTH, 0, k * PANEL, ldc, add_sums};
        multiply_transposed(&shape, a + start * lda, lda, panels + start * PANEL, c);
    }
}
