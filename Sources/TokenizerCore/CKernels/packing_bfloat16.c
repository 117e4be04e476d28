#include <string.h>

#include "bfloat16_layout.h"

/// To the nearest, ties to even, as the processor rounds the other factor. Weights are finite.
static uint16_t rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Which of the two lines (columns) of the small picture tap `tap` of pixel `phase` of the enlarged one falls on.
static ptrdiff_t folded(ptrdiff_t phase, ptrdiff_t tap) { return (phase + tap + 1) / 2 - phase; }

/// The sum of the 3×3 taps that fall on tap `tap` of the 2×2 kernel for pixel `phase`.
static float folded_weight(const float kernel[9], ptrdiff_t phase, ptrdiff_t tap) {
    double sum = 0;
    for (ptrdiff_t dy = 0; dy < 3; dy++)
        for (ptrdiff_t dx = 0; dx < 3; dx++)
            if (folded(phase / 2, dy) == tap / 2 && folded(phase % 2, dx) == tap % 2) sum += kernel[3 * dy + dx];
    return (float)sum;
}

/// One step: the weights of 32 inputs from `channel` on and 32 outputs from `column` on, for one tap.
static void pack_step(
    bool is_enlarging, const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t taps, ptrdiff_t column, ptrdiff_t channel,
    ptrdiff_t phase, ptrdiff_t tap, uint16_t *to) {
    for (ptrdiff_t output = column; output < column + BFLOAT16_BLOCK && output < n; output++)
        for (ptrdiff_t input = channel; input < channel + BFLOAT16_DEPTH && input < c; input++) {
            const float *kernel = weights + (output * c + input) * taps;
            ptrdiff_t pair = (input - channel) / 2, tile = (output - column) / BFLOAT16_TILE;
            ptrdiff_t place = (tile * BFLOAT16_DEPTH / 2 + pair) * BFLOAT16_TILE + (output - column) % BFLOAT16_TILE;
            to[2 * place + (input - channel) % 2] = rounded(is_enlarging ? folded_weight(kernel, phase, tap) : kernel[tap]);
        }
}

void revq_pack_bfloat16_panel(
    bool is_enlarging, const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t size, ptrdiff_t panel, uint16_t *to) {
    ptrdiff_t phases = is_enlarging ? 4 : 1, taps = is_enlarging ? 4 : size * size;
    memset(to, 0, (size_t)revq_bfloat16_panel(is_enlarging, c, size) * sizeof *to);
    for (ptrdiff_t phase = 0; phase < phases; phase++)
        for (ptrdiff_t channel = 0; channel < c; channel += BFLOAT16_DEPTH)
            for (ptrdiff_t tap = 0; tap < taps; tap++, to += BFLOAT16_STEP)
                pack_step(is_enlarging, weights, n, c, size * size, panel * BFLOAT16_BLOCK, channel, phase, tap, to);
}

ptrdiff_t revq_bfloat16_panel(bool is_enlarging, ptrdiff_t c, ptrdiff_t size) {
    return (is_enlarging ? 4 : 1) * bfloat16_steps(is_enlarging, c, size) * BFLOAT16_STEP;
}

ptrdiff_t revq_bfloat16_scratch(const revq_bfloat16_picture *picture, ptrdiff_t lines) {
    bfloat16_layout l = bfloat16_layout_of(picture, lines);
    return l.planes * l.plane * (ptrdiff_t)sizeof(uint16_t) + l.steps * (ptrdiff_t)sizeof(ptrdiff_t);
}
