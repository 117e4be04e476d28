#include "../bfloat16_layout.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#pragma clang attribute push(                                                                                                 \
    __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))), apply_to = function)

#include "../operations/vector.h"
#include "../operations/activation.h"

INLINE void begin_tiles(void) {}
INLINE void end_tiles(void) {}

INLINE void end_streams(void) { _mm_sfence(); }

INLINE void store_rounded(vfloat low, vfloat high, uint16_t *to) {
    __m512bh both = _mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    __builtin_memcpy(to, &both, sizeof both);
}

INLINE __m512bh weight_pairs(const uint16_t *p) {
    __m512bh v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

/// Two neighbouring channels of a pixel, in all lanes.
INLINE __m512bh pixel_pair(const uint16_t *p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

/// 12 × 2 sums, two vectors of weights and a pair of channels fill 27 of 32 registers.
enum { MOST_ROWS = 12 };

INLINE void multiply_rows(
    const int rows, const uint16_t *pixels, ptrdiff_t stride, const ptrdiff_t *steps, ptrdiff_t count, const uint16_t *weights,
    const uint16_t *next, ptrdiff_t ahead, float *sums) {
    __m512 sum[MOST_ROWS][2];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) sum[row][0] = sum[row][1] = _mm512_setzero_ps();
    for (ptrdiff_t i = 0; i < count; i++, weights += BFLOAT16_STEP / 2, next += ahead) {
        const uint16_t *here = pixels + steps[i];
#pragma clang loop unroll(disable)
        for (ptrdiff_t k = 0; k < BFLOAT16_DEPTH; k += 2, weights += 2 * BFLOAT16_TILE) {
            __m512bh left = weight_pairs(weights), right = weight_pairs(weights + BFLOAT16_STEP / 2);
#pragma clang loop unroll(full)
            for (int row = 0; row < rows; row++) {
                __m512bh x = pixel_pair(here + row * stride + k);
                sum[row][0] = _mm512_dpbf16_ps(sum[row][0], x, left);
                sum[row][1] = _mm512_dpbf16_ps(sum[row][1], x, right);
            }
        }
        for (ptrdiff_t line = 0; line < ahead; line += 32) __builtin_prefetch(next + line, 0, 2);
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < 2; v++) _mm512_store_ps(sums + row * BFLOAT16_BLOCK + v * LANES, sum[row][v]);
}

/// sums[rows, columns] = pixels · weights over `count` steps; `stride` numbers from a pixel to the next. Meanwhile `ahead` numbers
/// at a time of what will be read next are brought into the second-level cache.
static void multiply_block(
    ptrdiff_t rows, ptrdiff_t columns, const uint16_t *pixels, ptrdiff_t stride, const ptrdiff_t *steps, ptrdiff_t count,
    const uint16_t *weights, const uint16_t *next, ptrdiff_t ahead, float *sums) {
    (void)columns;
    ptrdiff_t row = 0;
    for (; row + MOST_ROWS <= rows; row += MOST_ROWS)
        multiply_rows(
            MOST_ROWS, pixels + row * stride, stride, steps, count, weights, next, row == 0 ? ahead : 0,
            sums + row * BFLOAT16_BLOCK);
    for (; row < rows; row += 4)
        multiply_rows(
            4, pixels + row * stride, stride, steps, count, weights, next, row == 0 ? ahead : 0, sums + row * BFLOAT16_BLOCK);
}

#include "../operations/bfloat16.h"

#pragma clang attribute pop

extern const revq_bfloat16_convolve revq_bfloat16_avx512;
const revq_bfloat16_convolve revq_bfloat16_avx512 = convolve_picture;

#endif
