// The gradient for a depthwise convolution's weights: each tap's products, summed over all pixels it was multiplied with.

/// Channels whose sums, one for each tap, stay in the first-level cache while the pixels go by.
#define CHANNELS_TOGETHER 64

/// dweight += for CHANNELS_TOGETHER channels (or the first `count`) of one image.
INLINE void add_tap_products(
    const float *x, const float *dy, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t count, float *dweight) {
    ptrdiff_t reach = size / 2;
    for (ptrdiff_t row = 0; row < h; row++) {
        tap_range down = taps_inside(row, h, size);
        for (ptrdiff_t column = 0; column < w; column++) {
            tap_range across = taps_inside(column, w, size);
            const float *out = dy + (row * w + column) * c;
            for (ptrdiff_t ty = down.first; ty < down.last; ty++)
                for (ptrdiff_t tx = across.first; tx < across.last; tx++) {
                    const float *in = x + ((row + ty - reach) * w + column + tx - reach) * c;
                    float *sums = dweight + (ty * size + tx) * CHANNELS_TOGETHER;
                    for (ptrdiff_t i = 0; i < count; i += LANES) {
                        ptrdiff_t left = count - i;
                        store_some(sums + i, load_some(sums + i, left) + load_some(in + i, left) * load_some(out + i, left), left);
                    }
                }
        }
    }
}

static void depthwise_backward(
    const float *x, const float *dy, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t first,
    ptrdiff_t last, float *dweight) {
    float sums[15 * 15 * CHANNELS_TOGETHER] __attribute__((aligned(64)));
    ptrdiff_t taps = size * size;
    for (ptrdiff_t channel = first; channel < last; channel += CHANNELS_TOGETHER) {
        ptrdiff_t count = last - channel < CHANNELS_TOGETHER ? last - channel : CHANNELS_TOGETHER;
        __builtin_memset(sums, 0, (size_t)(taps * CHANNELS_TOGETHER) * sizeof(float));
        for (ptrdiff_t image = 0; image < images; image++) {
            ptrdiff_t offset = image * h * w * c + channel;
            if (count == CHANNELS_TOGETHER)
                add_tap_products(x + offset, dy + offset, h, w, c, size, CHANNELS_TOGETHER, sums);
            else
                add_tap_products(x + offset, dy + offset, h, w, c, size, count, sums);
        }
        for (ptrdiff_t tap = 0; tap < taps; tap++)
            for (ptrdiff_t i = 0; i < count; i++) dweight[(channel + i) * taps + tap] += sums[tap * CHANNELS_TOGETHER + i];
    }
}
