// The register tile of fp32 vectors: up to TILE_ROWS rows times up to two vectors of columns.
//
// A strip is [depth / 16][rows][16], so that the whole tile is addressed from one register.

/// 14 × 2 accumulators and two vectors of weights fill 32 registers; 6 × 2 fill 16.
#define TILE_ROWS (REGISTERS == 32 ? 14 : 6)
#define TILE_COLUMNS (2 * LANES)
#define DEPTH 256
#define STRIPS_IN_BLOCK (REGISTERS == 32 ? 8 : 16)
#define STEP LINE
#define STRIP_WIDTH TILE_ROWS

#include "step.h"

/// Where a strip keeps element (row, k).
INLINE ptrdiff_t strip_index(ptrdiff_t row, ptrdiff_t k) { return (k / LINE * TILE_ROWS + row) * LINE + k % LINE; }

INLINE void strip_store(float *strip, ptrdiff_t row, ptrdiff_t k, step s) {
#pragma clang loop unroll(full)
    for (int i = 0; i < STEP / LANES; i++) store(strip + strip_index(row, k) + i * LANES, s.at[i]);
}

/// A strip is small enough to be in the cache.
INLINE void strip_expect(const float *strip, ptrdiff_t row, ptrdiff_t k) { (void)strip, (void)row, (void)k; }

/// c[rows, columns] (=, +=) a · b[depth, columns], where b's rows are PANEL apart and a is a strip; or a transposed matrix as it lies in memory,
/// a[depth, …] with rows `lda` apart.
///
/// `next` is where the weights of the next tile are; they are brought into the second-level cache meanwhile, because a panel is
/// too short for the processor to see the stream by itself.
INLINE void tile(
    const int rows, const int vectors, const bool is_transposed, ptrdiff_t depth, const float *a, ptrdiff_t lda, const float *b,
    const float *next, float *c, ptrdiff_t ldc, ptrdiff_t columns, const epilogue *end) {
    vfloat sums[TILE_ROWS][2];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[row][v] = splat(0);
    for (ptrdiff_t start = 0; start < depth; start += LINE, a += is_transposed ? LINE * lda : TILE_ROWS * LINE) {
        ptrdiff_t count = depth - start < LINE ? depth - start : LINE;
#pragma clang loop unroll(disable)
        for (ptrdiff_t k = 0; k < count; k++, b += PANEL, next += PANEL) {
            for (int line = 0; line < vectors * LANES; line += LINE) __builtin_prefetch(next + line, 0, 2);
            vfloat weights[2];
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) weights[v] = load(b + v * LANES);
#pragma clang loop unroll(full)
            for (int row = 0; row < rows; row++) {
                vfloat x = splat(is_transposed ? a[k * lda + row] : a[row * LINE + k]);
#pragma clang loop unroll(full)
                for (int v = 0; v < vectors; v++) sums[row][v] = x * weights[v] + sums[row][v];
            }
        }
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        ptrdiff_t left = columns - v * LANES;
        const float *bias = end->bias ? end->bias + v * LANES : NULL;
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            float *target = c + row * ldc + v * LANES;
            const float *old = end->accumulating ? target : bias;
            store_some(target, finish(sums[row][v], old ? load_some(old, left) : splat(0), end->activation), left);
        }
    }
}

typedef void (*tile_function)(
    ptrdiff_t, const float *, ptrdiff_t, const float *, const float *, float *, ptrdiff_t, ptrdiff_t, const epilogue *);

#define DEFINE_TILE(NAME, ROWS, VECTORS, IS_TRANSPOSED)                                                                       \
    static void NAME(                                                                                                         \
        ptrdiff_t depth, const float *a, ptrdiff_t lda, const float *b, const float *next, float *c, ptrdiff_t ldc,           \
        ptrdiff_t columns, const epilogue *end) {                                                                             \
        tile(ROWS, VECTORS, IS_TRANSPOSED, depth, a, lda, b, next, c, ldc, columns, end);                                     \
    }
#define DEFINE_TILES(ROWS)                                                                                                    \
    DEFINE_TILE(tile_##ROWS##x1, ROWS, 1, false) DEFINE_TILE(tile_##ROWS##x2, ROWS, 2, false)                                 \
    DEFINE_TILE(turned_##ROWS##x1, ROWS, 1, true) DEFINE_TILE(turned_##ROWS##x2, ROWS, 2, true)
DEFINE_TILES(1) DEFINE_TILES(2) DEFINE_TILES(3) DEFINE_TILES(4) DEFINE_TILES(5) DEFINE_TILES(6)
#if REGISTERS == 32
DEFINE_TILES(7) DEFINE_TILES(8) DEFINE_TILES(9) DEFINE_TILES(10) DEFINE_TILES(11) DEFINE_TILES(12) DEFINE_TILES(13)
DEFINE_TILES(14)
#endif

#define TILES(ROWS) {{tile_##ROWS##x1, tile_##ROWS##x2}, {turned_##ROWS##x1, turned_##ROWS##x2}}
/// By rows - 1, whether the left factor is transposed, and vectors - 1. Every tile computes an element by the same operations in the same order.
static const tile_function tiles[TILE_ROWS][2][2] = {
    TILES(1), TILES(2), TILES(3), TILES(4), TILES(5), TILES(6),
#if REGISTERS == 32
    TILES(7), TILES(8), TILES(9), TILES(10), TILES(11), TILES(12), TILES(13), TILES(14),
#endif
};

/// `lda` is 0 where the left factor is in strips.
INLINE void multiply_panel(const product_shape *s, const product *p, ptrdiff_t lda, ptrdiff_t column) {
    ptrdiff_t columns = s->n - column < TILE_COLUMNS ? s->n - column : TILE_COLUMNS;
    const float *b = p->panels + column / PANEL * s->panel_step + column % PANEL;
    epilogue here = {s->end.bias ? s->end.bias + column : NULL, s->end.accumulating, s->end.activation};
    for (ptrdiff_t row = 0; row < s->rows; row += TILE_ROWS) {
        ptrdiff_t count = s->rows - row < TILE_ROWS ? s->rows - row : TILE_ROWS;
        const float *a = p->strips + (lda ? row : row / TILE_ROWS * s->strip_step);
        tiles[count - 1][lda > 0][columns > LANES](
            s->depth, a, lda, b, b + s->panel_step, p->c + row * s->ldc + column, s->ldc, columns, &here);
    }
}

static void multiply_strips(const product_shape *s, const product *products, ptrdiff_t count) {
    for (const product *p = products; p < products + count; p++)
        for (ptrdiff_t column = 0; column < s->n; column += TILE_COLUMNS) multiply_panel(s, p, 0, column);
}

/// c[rows, n] (=, +=) aᵀ · panels[depth, n] for a[depth, …] with rows `lda` apart: nothing has to be put into strips.
static void multiply_transposed(const product_shape *s, const float *a, ptrdiff_t lda, const float *panels, float *c) {
    const product p = {a, panels, c};
    for (ptrdiff_t column = 0; column < s->n; column += TILE_COLUMNS) multiply_panel(s, &p, lda, column);
}
