// Depthwise convolution: each channel by itself, stride 1, zero padding size / 2. Four neighbouring pixels are formed together, so
// that each weight is loaded once for them and most inputs serve several (two where fewer are left); channels, which lie next to
// each other, go by fastest.

#define PIXELS_TOGETHER 4

/// One image and the weights of its channels.
typedef struct {
    const float *x, *weights, *bias;
    ptrdiff_t h, w, c, size;
} depthwise_input;

/// The taps of one axis that fall inside the picture.
typedef struct {
    ptrdiff_t first, last;
} tap_range;

INLINE tap_range taps_inside(ptrdiff_t at, ptrdiff_t extent, ptrdiff_t size) {
    ptrdiff_t reach = size / 2;
    return (tap_range){at < reach ? reach - at : 0, at + reach >= extent ? extent + reach - at : size};
}

/// LANES channels (or, where they are not whole, the first `count`) of `pixels` neighbours in a row. Taps are added in the order (row,
/// column), whatever `pixels` is.
INLINE void depthwise_vector(
    const int pixels, const bool is_whole, const depthwise_input *in, ptrdiff_t row, ptrdiff_t column, tap_range down,
    tap_range across, ptrdiff_t channel, ptrdiff_t count, vfloat sums[PIXELS_TOGETHER]) {
    ptrdiff_t reach = in->size / 2;
    count = is_whole ? LANES : count;
    vfloat start = in->bias ? load_some(in->bias + channel, count) : splat(0);
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) sums[i] = start;
    for (ptrdiff_t dy = down.first; dy < down.last; dy++) {
        const float *tap = in->weights + (dy * in->size + across.first) * in->c + channel;
        const float *from = in->x + ((row + dy - reach) * in->w + column + across.first - reach) * in->c + channel;
        for (ptrdiff_t dx = across.first; dx < across.last; dx++, tap += in->c, from += in->c) {
            vfloat weight = load_some(tap, count);
#pragma clang loop unroll(full)
            for (int i = 0; i < pixels; i++) sums[i] += weight * load_some(from + i * in->c, count);
        }
    }
}

/// A vector of results for each of `pixels` neighbours.
INLINE void depthwise_outputs(
    const int pixels, const bool is_whole, const depthwise_input *in, ptrdiff_t row, ptrdiff_t column, tap_range down,
    tap_range across, bool is_gated, ptrdiff_t channel, ptrdiff_t outputs, float *y) {
    ptrdiff_t count = is_whole ? LANES : outputs - channel;
    vfloat values[PIXELS_TOGETHER], gates[PIXELS_TOGETHER];
    depthwise_vector(pixels, is_whole, in, row, column, down, across, channel, count, values);
    if (is_gated) depthwise_vector(pixels, is_whole, in, row, column, down, across, outputs + channel, count, gates);
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) {
        vfloat result = is_gated ? values[i] * silu_of(gates[i]) : values[i];
        store_some(y + (row * in->w + column + i) * outputs + channel, result, count);
    }
}

/// `pixels` neighbours, all channels; gated: the first half of the channels times the SiLU of the second.
INLINE void depthwise_pixels(
    const int pixels, const depthwise_input *in, ptrdiff_t row, ptrdiff_t column, tap_range down, tap_range across,
    bool is_gated, float *y) {
    ptrdiff_t outputs = is_gated ? in->c / 2 : in->c, channel = 0;
    for (; channel + LANES <= outputs; channel += LANES)
        depthwise_outputs(pixels, true, in, row, column, down, across, is_gated, channel, outputs, y);
    if (channel < outputs) depthwise_outputs(pixels, false, in, row, column, down, across, is_gated, channel, outputs, y);
}

/// Compiled for the usual sizes and for any.
INLINE void depthwise_lines(
    depthwise_input in, const ptrdiff_t size, bool is_gated, ptrdiff_t first, ptrdiff_t last, float *y) {
    ptrdiff_t reach = size / 2, outputs = is_gated ? in.c / 2 : in.c, w = in.w;
    const float *x = in.x;
    in.size = size;
    for (ptrdiff_t line = first; line < last; line++) {
        ptrdiff_t image = line / in.h, row = line % in.h;
        in.x = x + image * in.h * w * in.c;
        float *target = y + image * in.h * w * outputs;
        tap_range down = taps_inside(row, in.h, size), all = {0, size};
        for (ptrdiff_t column = 0; column < w;) {
            ptrdiff_t inside = column >= reach ? w - reach - column : 0;
            if (inside >= PIXELS_TOGETHER) {
                depthwise_pixels(PIXELS_TOGETHER, &in, row, column, down, all, is_gated, target);
                column += PIXELS_TOGETHER;
            } else if (inside >= 2) {
                depthwise_pixels(2, &in, row, column, down, all, is_gated, target);
                column += 2;
            } else {
                depthwise_pixels(1, &in, row, column, down, taps_inside(column, w, size), is_gated, target);
                column++;
            }
        }
    }
}

static void convolve_depthwise(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, const float *weights, const float *bias, bool is_gated,
    ptrdiff_t first, ptrdiff_t last, float *y) {
    depthwise_input in = {x, weights, bias, h, w, c, size};
    switch (size) {
    case 3: depthwise_lines(in, 3, is_gated, first, last, y); break;
    case 5: depthwise_lines(in, 5, is_gated, first, last, y); break;
    default: depthwise_lines(in, size, is_gated, first, last, y);
    }
}
