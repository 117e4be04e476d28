// Depthwise convolution: each channel by itself, stride 1, zero padding size / 2. Four neighbouring pixels are formed together, so
// that each weight is loaded once for them and most inputs serve several; channels, which lie next to each other, go by fastest.

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

/// LANES channels (or the first `count`) of `pixels` neighbours in a row. Taps are added in the order (row, column), whatever
/// `pixels` is.
INLINE void depthwise_vector(
    const int pixels, const depthwise_input *in, ptrdiff_t row, ptrdiff_t column, tap_range down, tap_range across,
    ptrdiff_t channel, ptrdiff_t count, vfloat sums[PIXELS_TOGETHER]) {
    ptrdiff_t reach = in->size / 2;
    vfloat start = in->bias ? load_some(in->bias + channel, count) : splat(0);
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) sums[i] = start;
    for (ptrdiff_t dy = down.first; dy < down.last; dy++)
        for (ptrdiff_t dx = across.first; dx < across.last; dx++) {
            const float *tap = in->weights + (dy * in->size + dx) * in->c + channel;
            const float *from = in->x + ((row + dy - reach) * in->w + column + dx - reach) * in->c + channel;
            vfloat weight = load_some(tap, count);
#pragma clang loop unroll(full)
            for (int i = 0; i < pixels; i++) sums[i] += weight * load_some(from + i * in->c, count);
        }
}

/// `pixels` neighbours, all channels; gated: the first half of the channels times the SiLU of the second.
INLINE void depthwise_pixels(
    const int pixels, const depthwise_input *in, ptrdiff_t row, ptrdiff_t column, tap_range down, tap_range across,
    bool is_gated, float *y) {
    ptrdiff_t outputs = is_gated ? in->c / 2 : in->c;
    for (ptrdiff_t channel = 0; channel < outputs; channel += LANES) {
        ptrdiff_t count = outputs - channel;
        vfloat values[PIXELS_TOGETHER], gates[PIXELS_TOGETHER];
        depthwise_vector(pixels, in, row, column, down, across, channel, count, values);
        if (is_gated) depthwise_vector(pixels, in, row, column, down, across, outputs + channel, count, gates);
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++) {
            vfloat result = is_gated ? values[i] * silu_of(gates[i]) : values[i];
            store_some(y + (row * in->w + column + i) * outputs + channel, result, count);
        }
    }
}

static void convolve_depthwise(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, const float *weights, const float *bias, bool is_gated,
    ptrdiff_t first, ptrdiff_t last, float *y) {
    ptrdiff_t reach = size / 2, outputs = is_gated ? c / 2 : c;
    for (ptrdiff_t line = first; line < last; line++) {
        ptrdiff_t image = line / h, row = line % h;
        depthwise_input in = {x + image * h * w * c, weights, bias, h, w, c, size};
        float *target = y + image * h * w * outputs;
        tap_range down = taps_inside(row, h, size);
        for (ptrdiff_t column = 0; column < w;) {
            if (column >= reach && column + PIXELS_TOGETHER + reach <= w) {
                depthwise_pixels(PIXELS_TOGETHER, &in, row, column, down, (tap_range){0, size}, is_gated, target);
                column += PIXELS_TOGETHER;
            } else {
                depthwise_pixels(1, &in, row, column, down, taps_inside(column, w, size), is_gated, target);
                column++;
            }
        }
    }
}
