// The register tile that every matrix product is made of: up to TILE_ROWS rows times up to two vectors of columns.
//
// Weights are packed as [N / 32][K][32] whatever LANES is. The left factor comes as a strip of rows, [depth / 16][rows][16], so
// that the whole tile is addressed from one register.

#define PANEL 32
/// K is cut here: partial sums of 256 products are added up, which is both fast (a panel of weights stays in the first-level
/// cache) and more accurate than one long sum.
#define DEPTH 256
/// 14 × 2 accumulators and two vectors of weights fill 32 registers; 6 × 2 fill 16.
#define TILE_ROWS (LANES == 16 ? 14 : 6)
#define TILE_COLUMNS (2 * LANES)
/// Floats in a cache line.
#define LINE 16

/// Where a strip keeps element (row, k).
INLINE ptrdiff_t strip_index(ptrdiff_t row, ptrdiff_t k) { return (k / LINE * TILE_ROWS + row) * LINE + k % LINE; }

/// What happens to a product's sums when they leave the registers.
typedef struct {
    /// Added before the first sum; null to add nothing.
    const float *bias;
    /// Whether these products are added to what the result holds.
    bool accumulating;
    revq_activation activation;
} epilogue;

static const epilogue set_sums = {NULL, false, REVQ_IDENTITY}, add_sums = {NULL, true, REVQ_IDENTITY};

INLINE vfloat finish(vfloat sum, vfloat old, revq_activation activation) { return activated(sum + old, activation); }

/// c[rows, columns] (=, +=) a · b[depth, columns], where a is a strip and b's rows are PANEL apart.
///
/// `next` is where the weights of the next tile are; they are brought into the second-level cache meanwhile, because a panel is
/// too short for the processor to see the stream by itself.
INLINE void tile(
    const int rows, const int vectors, ptrdiff_t depth, const float *a, const float *b, const float *next, float *c, ptrdiff_t ldc,
    ptrdiff_t columns, const epilogue *end) {
    vfloat sums[TILE_ROWS][2];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[row][v] = splat(0);
    for (ptrdiff_t start = 0; start < depth; start += LINE, a += TILE_ROWS * LINE) {
        ptrdiff_t count = depth - start < LINE ? depth - start : LINE;
#pragma clang loop unroll(disable)
        for (ptrdiff_t k = 0; k < count; k++, b += PANEL, next += PANEL) {
            for (int line = 0; line < vectors * LANES; line += LINE) __builtin_prefetch(next + line, 0, 2);
            vfloat weights[2];
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) weights[v] = load(b + v * LANES);
#pragma clang loop unroll(full)
            for (int row = 0; row < rows; row++) {
                vfloat x = splat(a[row * LINE + k]);
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
    ptrdiff_t, const float *, const float *, const float *, float *, ptrdiff_t, ptrdiff_t, const epilogue *);

#define DEFINE_TILE(ROWS, VECTORS)                                                                                            \
    static void tile_##ROWS##x##VECTORS(                                                                                      \
        ptrdiff_t depth, const float *a, const float *b, const float *next, float *c, ptrdiff_t ldc, ptrdiff_t columns,       \
        const epilogue *end) {                                                                                                \
        tile(ROWS, VECTORS, depth, a, b, next, c, ldc, columns, end);                                                         \
    }
#define DEFINE_TILES(ROWS) DEFINE_TILE(ROWS, 1) DEFINE_TILE(ROWS, 2)
DEFINE_TILES(1) DEFINE_TILES(2) DEFINE_TILES(3) DEFINE_TILES(4) DEFINE_TILES(5) DEFINE_TILES(6)
#if LANES == 16
DEFINE_TILES(7) DEFINE_TILES(8) DEFINE_TILES(9) DEFINE_TILES(10) DEFINE_TILES(11) DEFINE_TILES(12) DEFINE_TILES(13)
DEFINE_TILES(14)
#endif

#define TILES(ROWS) {tile_##ROWS##x1, tile_##ROWS##x2}
/// By rows - 1 and vectors - 1. Every tile computes an element by the same operations in the same order.
static const tile_function tiles[TILE_ROWS][2] = {
    TILES(1), TILES(2), TILES(3), TILES(4), TILES(5), TILES(6),
#if LANES == 16
    TILES(7), TILES(8), TILES(9), TILES(10), TILES(11), TILES(12), TILES(13), TILES(14),
#endif
};

/// Copies numbers start..<end of a row into a strip.
INLINE void fill_strip(float *strip, ptrdiff_t row, ptrdiff_t start, ptrdiff_t end, const float *from) {
    ptrdiff_t k = start;
    for (; k < end && k % LINE != 0; k++) strip[strip_index(row, k)] = *from++;
    for (; k + LINE <= end; k += LINE, from += LINE)
        for (int i = 0; i < LINE; i += LANES) store(strip + strip_index(row, k) + i, load(from + i));
    for (; k < end; k++) strip[strip_index(row, k)] = *from++;
}

/// c[rows, n] (=, +=) a · b for a strip of `rows` ≤ TILE_ROWS rows and the panels of b.
///
/// `panels` points at the first used row of the first panel; panels are `panel_stride` floats apart.
INLINE void multiply_strip(
    int rows, ptrdiff_t n, ptrdiff_t depth, const float *a, const float *panels, ptrdiff_t panel_stride, float *c, ptrdiff_t ldc,
    const epilogue *end) {
    for (ptrdiff_t column = 0; column < n; column += TILE_COLUMNS) {
        ptrdiff_t columns = n - column < TILE_COLUMNS ? n - column : TILE_COLUMNS;
        const float *b = panels + column / PANEL * panel_stride + column % PANEL;
        epilogue here = {end->bias ? end->bias + column : NULL, end->accumulating, end->activation};
        tiles[rows - 1][columns > LANES](depth, a, b, b + panel_stride, c + column, ldc, columns, &here);
    }
}
