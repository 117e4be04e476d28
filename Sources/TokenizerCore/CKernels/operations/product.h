// The product that every convolution and projection is made of: rows of a left factor, copied into strips, times panels of weights.
//
// Weights are packed as [N / 32][K][32] for every instruction set. How a strip keeps its rows and how it is multiplied differs:
// vector_product.h multiplies fp32 vectors, tile_product.h splits numbers into three bf16 parts for AMX. Each defines
//   TILE_ROWS                 rows of a strip;
//   DEPTH                     K is cut here, and the partial sums are added up: that is fast, because what is multiplied stays
//                             cached, and more accurate than one long sum;
//   STRIPS_IN_BLOCK           strips that are multiplied at a time, so that the panels are read once for all of them while the
//                             strips stay in the second-level cache;
//   STEP                      a strip's depth is filled up to a multiple of this;
//   STRIP_WIDTH               floats that a strip takes for each of its columns;
//   strip_store               to put STEP numbers into a row of a strip, with zeros behind the last;
//   strip_expect              to announce that STEP numbers will be put there;
//   multiply_strips           the products;
//   multiply_transposed       the same of a left factor that lies transposed in memory (with tiles in matrix.h, by strips).

#define PANEL 32
/// Floats in a cache line.
#define LINE 16

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

/// One of several products of the same shape.
typedef struct {
    /// Strips of the left factor.
    const float *strips;
    /// The first used row of the first panel of weights.
    const float *panels;
    float *c;
} product;

/// What they have in common: c[rows, n] (=, +=) strips[rows, depth] · panels[depth, n].
typedef struct {
    /// In strips at most BLOCK_ROWS; the last one is perhaps not full.
    ptrdiff_t rows;
    ptrdiff_t n, depth;
    /// Floats from a strip, a panel, a row of c to the next.
    ptrdiff_t strip_step, panel_step, ldc;
    epilogue end;
} product_shape;

#ifdef MATRIX_TILES
#include "tile_product.h"
#else
#include "vector_product.h"
#endif

/// Floats of a strip with `depth` columns.
INLINE ptrdiff_t strip_floats(ptrdiff_t depth) { return (depth + STEP - 1) / STEP * STEP * STRIP_WIDTH; }

#define BLOCK_ROWS (STRIPS_IN_BLOCK * TILE_ROWS)

/// Copies whole rows, `stride` floats apart, into a strip. Step by step, so that the strip is written from front to back; the rows'
/// next steps are asked for in time.
INLINE void fill_strip_with_rows(float *strip, ptrdiff_t rows, ptrdiff_t depth, const float *from, ptrdiff_t stride) {
    ptrdiff_t whole = depth / STEP * STEP;
    for (ptrdiff_t k = 0; k < whole; k += STEP)
        for (ptrdiff_t row = 0; row < rows; row++) {
            const float *here = from + row * stride + k;
            for (int line = 0; line < STEP; line += LINE) __builtin_prefetch(here + 2 * STEP + line, 0, 3);
            strip_store(strip, row, k, load_step(here));
        }
    for (ptrdiff_t row = 0; row < rows && whole < depth; row++)
        strip_store(strip, row, whole, load_some_step(from + row * stride + whole, depth - whole));
}
