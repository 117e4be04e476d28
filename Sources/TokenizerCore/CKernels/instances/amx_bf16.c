#include "../bfloat16_layout.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#pragma clang attribute push(                                                                                                 \
    __attribute__((target("arch=x86-64-v4,avx512bf16,amx-tile,amx-bf16"), min_vector_width(512))), apply_to = function)

#include "../operations/vector.h"
#include "../operations/activation.h"
#include "../operations/tile_registers.h"

INLINE void end_streams(void) { _mm_sfence(); }

INLINE void store_rounded(vfloat low, vfloat high, uint16_t *to) {
    __m512bh both = _mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    __builtin_memcpy(to, &both, sizeof both);
}

/// Registers 0 to 3 are the sums, 4 and 5 pixels, 6 and 7 weights.
INLINE void multiply_tiles(
    const bool has_second_row, const bool has_second_column, const uint16_t *pixels, ptrdiff_t stride, const ptrdiff_t *steps,
    ptrdiff_t count, const uint16_t *weights, const uint16_t *next, ptrdiff_t ahead, float *sums) {
    const ptrdiff_t stride_bytes = stride * 2, sum_bytes = BFLOAT16_BLOCK * 4, tile = BFLOAT16_TILE;
    _tile_zero(0);
    if (has_second_column) _tile_zero(1);
    if (has_second_row) _tile_zero(2);
    if (has_second_row && has_second_column) _tile_zero(3);
    for (ptrdiff_t i = 0; i < count; i++, weights += BFLOAT16_STEP, next += ahead) {
        const uint16_t *here = pixels + steps[i];
        _tile_loadd(6, weights, 64);
        _tile_loadd(4, here, stride_bytes);
        _tile_dpbf16ps(0, 4, 6);
        if (has_second_column) {
            _tile_loadd(7, weights + BFLOAT16_STEP / 2, 64);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (has_second_row) {
            _tile_loadd(5, here + tile * stride, stride_bytes);
            _tile_dpbf16ps(2, 5, 6);
            if (has_second_column) _tile_dpbf16ps(3, 5, 7);
        }
        for (ptrdiff_t line = 0; line < ahead; line += 32) __builtin_prefetch(next + line, 0, 2);
    }
    _tile_stored(0, sums, sum_bytes);
    if (has_second_column) _tile_stored(1, sums + tile, sum_bytes);
    if (has_second_row) _tile_stored(2, sums + tile * BFLOAT16_BLOCK, sum_bytes);
    if (has_second_row && has_second_column) _tile_stored(3, sums + tile * BFLOAT16_BLOCK + tile, sum_bytes);
}

/// sums[rows, columns] = pixels · weights over `count` steps; `stride` numbers from a pixel to the next. Meanwhile `ahead` numbers
/// at a time of what will be read next are brought into the second-level cache.
static void multiply_block(
    ptrdiff_t rows, ptrdiff_t columns, const uint16_t *pixels, ptrdiff_t stride, const ptrdiff_t *steps, ptrdiff_t count,
    const uint16_t *weights, const uint16_t *next, ptrdiff_t ahead, float *sums) {
    if (rows > BFLOAT16_TILE && columns > BFLOAT16_TILE)
        multiply_tiles(true, true, pixels, stride, steps, count, weights, next, ahead, sums);
    else if (rows > BFLOAT16_TILE)
        multiply_tiles(true, false, pixels, stride, steps, count, weights, next, ahead, sums);
    else if (columns > BFLOAT16_TILE)
        multiply_tiles(false, true, pixels, stride, steps, count, weights, next, ahead, sums);
    else
        multiply_tiles(false, false, pixels, stride, steps, count, weights, next, ahead, sums);
}

#include "../operations/bfloat16.h"

#pragma clang attribute pop

extern const revq_bfloat16_convolve revq_bfloat16_amx;
const revq_bfloat16_convolve revq_bfloat16_amx = convolve_picture;

#endif
