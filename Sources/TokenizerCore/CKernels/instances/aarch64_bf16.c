#include "../bfloat16_layout.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define LANES 16
#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)

#include "../operations/vector.h"
#include "../operations/activation.h"

INLINE void begin_tiles(void) {}
INLINE void end_tiles(void) {}
// What orders the stores of a thread for the next one orders these too.
INLINE void end_streams(void) {}

INLINE void store_rounded(vfloat low, vfloat high, uint16_t *to) {
    float numbers[2 * LANES];
    store(numbers, low), store(numbers + LANES, high);
    for (int i = 0; i < 2 * LANES; i += 8) {
        bfloat16x8_t eight = vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(vld1q_f32(numbers + i)), vld1q_f32(numbers + i + 4));
        vst1q_u16(to + i, vreinterpretq_u16_bf16(eight));
    }
}

INLINE bfloat16x8_t eight_numbers(const uint16_t *p) { return vreinterpretq_bf16_u16(vld1q_u16(p)); }

/// 4 rows × 16 sums, 4 vectors of weights and 4 of pixels fill 24 of 32 registers.
enum { ROWS = 4, VECTORS = BFLOAT16_TILE / 4 };

/// Adds the products of the pair `pair` of each row's eight channels with its weights for 16 outputs.
#define MULTIPLY_PAIR(pair)                                                                                                   \
    do {                                                                                                                      \
        bfloat16x8_t w[VECTORS];                                                                                              \
        for (int v = 0; v < VECTORS; v++) w[v] = eight_numbers(pairs + 2 * BFLOAT16_TILE * (pair) + 8 * v);                   \
        for (int row = 0; row < ROWS; row++)                                                                                  \
            for (int v = 0; v < VECTORS; v++) sum[row][v] = vbfdotq_laneq_f32(sum[row][v], w[v], x[row], pair);               \
    } while (0)

/// One tile of 16 outputs, whose weights lie BFLOAT16_STEP apart.
INLINE void multiply_rows(
    const uint16_t *pixels, ptrdiff_t stride, const ptrdiff_t *steps, ptrdiff_t count, const uint16_t *weights, float *sums) {
    float32x4_t sum[ROWS][VECTORS] = {0};
    for (ptrdiff_t i = 0; i < count; i++, weights += BFLOAT16_STEP) {
        for (ptrdiff_t k = 0; k < BFLOAT16_DEPTH; k += 8) {
            const uint16_t *pairs = weights + k * BFLOAT16_TILE;
            bfloat16x8_t x[ROWS];
            for (int row = 0; row < ROWS; row++) x[row] = eight_numbers(pixels + steps[i] + row * stride + k);
            MULTIPLY_PAIR(0);
            MULTIPLY_PAIR(1);
            MULTIPLY_PAIR(2);
            MULTIPLY_PAIR(3);
        }
    }
    for (int row = 0; row < ROWS; row++)
        for (int v = 0; v < VECTORS; v++) vst1q_f32(sums + row * BFLOAT16_BLOCK + 4 * v, sum[row][v]);
}

/// sums[rows, columns] = pixels · weights over `count` steps; `stride` numbers from a pixel to the next.
static void multiply_block(
    ptrdiff_t rows, ptrdiff_t columns, const uint16_t *pixels, ptrdiff_t stride, const ptrdiff_t *steps, ptrdiff_t count,
    const uint16_t *weights, const uint16_t *next, ptrdiff_t ahead, float *sums) {
    // These processors fetch ahead by themselves.
    (void)next, (void)ahead;
    for (ptrdiff_t tile = 0; tile * BFLOAT16_TILE < columns; tile++)
        for (ptrdiff_t row = 0; row < rows; row += ROWS)
            multiply_rows(
                pixels + row * stride, stride, steps, count, weights + tile * BFLOAT16_STEP / 2,
                sums + row * BFLOAT16_BLOCK + tile * BFLOAT16_TILE);
}

#include "../operations/bfloat16.h"

#pragma clang attribute pop

extern const revq_bfloat16_convolve revq_bfloat16_neon;
const revq_bfloat16_convolve revq_bfloat16_neon = convolve_picture;

#endif
