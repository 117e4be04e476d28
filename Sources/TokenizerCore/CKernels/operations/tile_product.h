// The register tile of AMX: 32 rows times 32 columns, with every fp32 number as the exact sum of three bf16 ones (8 bits each).
//
// Of the nine products of parts the six largest are formed; the other three together are at most a little over 2⁻²³ of the whole, where
// rounding a product to fp32 loses up to 2⁻²⁴. Sums are fp32.
//
// A strip is [depth / 32][32 rows][part][16 pairs]: pair i of a step holds columns i and i + 16, so that a vector of columns is split
// without moving anything between lanes. Weights are split a panel at a time into [depth / 32][part][2][16 pairs][16 columns].
//
// Source of the splitting: Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
// Computations", 2019.

#define TILE_ROWS 32
#define DEPTH 512
#define STRIPS_IN_BLOCK 4
/// Columns of the left factor that one instruction multiplies.
#define STEP 32
enum { PARTS = 3, TILE_SIDE = 16, TILE_BYTES = TILE_SIDE * 64 };
/// Three parts of two bytes for each of 32 rows.
#define STRIP_WIDTH (TILE_ROWS * PARTS / 2)

#include "step.h"
#include "tile_registers.h"

/// The bits of an fp32 number that are a bf16 one.
#define UPPER_HALF 0xffff0000u

/// The nearest number whose lower half is zero: a bf16 one. (Ties go away from zero.)
INLINE vfloat first_part(vfloat x) { return (vfloat)(((vbits)x + 0x8000u) & UPPER_HALF); }

/// Where a strip keeps the pair that column k of a row belongs to, in the first part; the next part is TILE_SIDE pairs further on.
INLINE uint32_t *strip_pair(float *strip, ptrdiff_t row, ptrdiff_t k) {
    return (uint32_t *)strip + (k / STEP * TILE_ROWS + row) * PARTS * TILE_SIDE + k % TILE_SIDE;
}

/// Splits two vectors and stores their parts, the first one in the lower halves of the pairs, `step` pairs apart. What is left for the
/// last part fits it, unless it is denormal: then it is cut off.
INLINE void store_parts(vfloat low, vfloat high, uint32_t *to, ptrdiff_t step) {
#pragma clang loop unroll(full)
    for (int part = 0; part < PARTS; part++, to += step) {
        vfloat upper_low = part < PARTS - 1 ? first_part(low) : low, upper_high = part < PARTS - 1 ? first_part(high) : high;
        store((float *)to, (vfloat)((vbits)upper_low >> 16 | ((vbits)upper_high & UPPER_HALF)));
        low -= upper_low;
        high -= upper_high;
    }
}

INLINE void strip_store(float *strip, ptrdiff_t row, ptrdiff_t k, step s) {
    store_parts(s.at[0], s.at[1], strip_pair(strip, row, k), TILE_SIDE);
}

/// Asks for the place of a step that will be filled soon.
INLINE void strip_expect(float *strip, ptrdiff_t row, ptrdiff_t k) {
    uint32_t *to = strip_pair(strip, row, k);
#pragma clang loop unroll(full)
    for (int part = 0; part < PARTS; part++, to += TILE_SIDE) __builtin_prefetch(to, 1, 3);
}

#include "split_weights.h"

/// Registers 0 to 3 are the sums, 4 and 5 rows of the left factor, 6 and 7 weights.
#define LOAD_ROWS(PART)                                                                                                       \
    _tile_loadd(4, a + (PART) * 64, PARTS * 64);                                                                              \
    if (has_lower) _tile_loadd(5, a + PARTS * TILE_BYTES + (PART) * 64, PARTS * 64)
#define LOAD_WEIGHTS(PART)                                                                                                    \
    _tile_loadd(6, b + (PART) * 2 * TILE_BYTES, 64);                                                                          \
    _tile_loadd(7, b + (PART) * 2 * TILE_BYTES + TILE_BYTES, 64)
#define ADD_PRODUCTS                                                                                                          \
    _tile_dpbf16ps(0, 4, 6);                                                                                                  \
    _tile_dpbf16ps(1, 4, 7);                                                                                                  \
    if (has_lower) _tile_dpbf16ps(2, 5, 6);                                                                                   \
    if (has_lower) _tile_dpbf16ps(3, 5, 7);                                                                                   \
    if (next.pairs > 0)                                                                                                       \
        for (int i = 0; i < share; i++) split_pairs(&next)

/// to[32][32] = (sums[32][32] +) a strip times split weights, with rows of `to` `to_bytes` apart. After every four products `share` rows
/// of pairs of the weights that come next are split: the vector units have nothing else to do while the matrix unit multiplies.
INLINE splitting multiply_tiles(
    const bool has_lower, const int share, bool is_first, ptrdiff_t depth, const uint8_t *a, const uint8_t *b, splitting next,
    const float *sums, float *to, ptrdiff_t to_bytes) {
    const float *lower = sums + TILE_SIDE * PANEL;
    if (is_first) {
        _tile_zero(0);
        _tile_zero(1);
        if (has_lower) _tile_zero(2);
        if (has_lower) _tile_zero(3);
    } else {
        _tile_loadd(0, sums, PANEL * 4);
        _tile_loadd(1, sums + TILE_SIDE, PANEL * 4);
        if (has_lower) _tile_loadd(2, lower, PANEL * 4);
        if (has_lower) _tile_loadd(3, lower + TILE_SIDE, PANEL * 4);
    }
    for (ptrdiff_t k = 0; k < depth; k += STEP, a += PARTS * 2 * TILE_BYTES, b += PARTS * 2 * TILE_BYTES) {
        LOAD_WEIGHTS(0);
        LOAD_ROWS(2);
        ADD_PRODUCTS;
        LOAD_ROWS(1);
        ADD_PRODUCTS;
        LOAD_WEIGHTS(1);
        ADD_PRODUCTS;
        LOAD_ROWS(0);
        ADD_PRODUCTS;
        LOAD_WEIGHTS(2);
        ADD_PRODUCTS;
        LOAD_WEIGHTS(0);
        ADD_PRODUCTS;
    }
    _tile_stored(0, to, to_bytes);
    _tile_stored(1, to + TILE_SIDE, to_bytes);
    if (has_lower) _tile_stored(2, to + TILE_SIDE * to_bytes / 4, to_bytes);
    if (has_lower) _tile_stored(3, to + TILE_SIDE * to_bytes / 4 + TILE_SIDE, to_bytes);
    return next;
}

/// `multiply_tiles` compiled for each share.
#define MULTIPLY_TILES(HAS_LOWER, ...)                                                                                        \
    share == 1   ? multiply_tiles(HAS_LOWER, 1, __VA_ARGS__)                                                                  \
    : share == 2 ? multiply_tiles(HAS_LOWER, 2, __VA_ARGS__)                                                                  \
                 : multiply_tiles(HAS_LOWER, 4, __VA_ARGS__)

/// Sums that are in memory and still have to get to their place.
typedef struct {
    ptrdiff_t rows, columns;
    float *sums, *c;
    epilogue end;
} block;

/// The block at `row` and `column` of a product.
INLINE block block_of(const product_shape *s, const product *p, ptrdiff_t row, ptrdiff_t column, float *sums) {
    return (block){
        s->rows - row < TILE_ROWS ? s->rows - row : TILE_ROWS, s->n - column < PANEL ? s->n - column : PANEL, sums,
        p->c + row * s->ldc + column, {s->end.bias ? s->end.bias + column : NULL, s->end.accumulating, s->end.activation}};
}

INLINE void write_rows(const revq_activation activation, const block *b, ptrdiff_t ldc) {
    const float *bias = b->end.accumulating ? NULL : b->end.bias;
    for (ptrdiff_t column = 0; column < b->columns; column += LANES) {
        ptrdiff_t left = b->columns - column;
        vfloat before = bias ? load_some(bias + column, left) : splat(0);
        for (ptrdiff_t row = 0; row < b->rows; row++) {
            float *target = b->c + row * ldc + column;
            vfloat sum = load(b->sums + row * PANEL + column);
            vfloat old = b->end.accumulating ? load_some(target, left) : before;
            store_some(target, finish(sum, old, activation), left);
        }
    }
}

INLINE void write_block(const block *b, ptrdiff_t ldc) {
    CALL_FOR_ACTIVATION(b->end.activation, write_rows, b, ldc);
}

static void multiply_strips(const product_shape *s, const product *products, ptrdiff_t count) {
    uint32_t weights[2][PAIRS_IN_PART] __attribute__((aligned(64)));
    float sums[2][STRIPS_IN_BLOCK][TILE_ROWS * PANEL] __attribute__((aligned(64))), padded[RESIDENT * PANEL];
    const weight_parts w = parts_of(s, products, count);
    // The fewer rows there are, the larger is each strip's share of the splitting. (The shares divide a part's 16 · n rows of pairs.)
    const int share = s->rows <= TILE_ROWS ? 4 : s->rows <= 2 * TILE_ROWS ? 2 : 1;
    const bool is_plain = !s->end.accumulating && !s->end.bias && s->end.activation == REVQ_IDENTITY;
    finish_splitting(split_part(&w, 0, padded, weights[0]));
    block before = {0};
    begin_tiles();
    for (ptrdiff_t part = 0; part < w.count; part++) {
        const product *p = products + part / w.in_product;
        const ptrdiff_t column = part_column(&w, part), depth = part_depth(&w, part);
        const bool is_first = part_row(&w, part) == 0, is_last = part_row(&w, part) + depth == s->depth;
        const uint8_t *b = (const uint8_t *)weights[part % 2];
        splitting next = split_part(&w, part + 1, padded, weights[(part + 1) % 2]);
        for (ptrdiff_t row = 0; row < s->rows; row += TILE_ROWS) {
            block here = block_of(s, p, row, column, sums[part / w.in_panel % 2][row / TILE_ROWS]);
            const uint8_t *a = (const uint8_t *)(p->strips + row / TILE_ROWS * s->strip_step + part_row(&w, part) * STRIP_WIDTH);
            bool is_direct = is_last && is_plain && here.rows == TILE_ROWS && here.columns == PANEL;
            float *to = is_direct ? here.c : here.sums;
            ptrdiff_t to_bytes = (is_direct ? s->ldc : PANEL) * (ptrdiff_t)sizeof(float);
            if (here.rows > TILE_SIDE)
                next = MULTIPLY_TILES(true, is_first, depth, a, b, next, here.sums, to, to_bytes);
            else
                next = MULTIPLY_TILES(false, is_first, depth, a, b, next, here.sums, to, to_bytes);
            // The processor does not forward what a tile has stored: the block before is in the cache by now.
            write_block(&before, s->ldc);
            before = is_last && !is_direct ? here : (block){0};
        }
        finish_splitting(next);
    }
    end_tiles();
    write_block(&before, s->ldc);
}
