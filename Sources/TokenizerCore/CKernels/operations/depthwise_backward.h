// Gradients of a depthwise convolution: for the taps their products, summed over all pixels they were multiplied with, and for the input
// a convolution with the taps turned by 180°. Both need the same copies of a block, and so does what surrounds the convolution in a
// gated feed-forward, the activation before it and the gate behind it: their gradients are formed while copying, which saves reading and
// writing the widest feature maps of all several times.

/// Sums of a tap that are formed side by side, of every other pixel each: a processor begins an addition before the last one is done.
#define SUMS_OF_TAP 2

/// dtaps[tap][c] += Σ dy · the copied pixels that the tap was multiplied with, for CHANNELS_TOGETHER channels (or the first `count`).
/// (What is beyond the picture is zero in `dy`.)
INLINE void add_tap_products_sized(
    const ptrdiff_t size, const pixel_block *b, const float *x, const float *dy, ptrdiff_t count, float *dtaps) {
    ptrdiff_t side = copy_side(size);
    const float *centre = dy + (size / 2 * side + size / 2) * CHANNELS_TOGETHER;
    for (ptrdiff_t k = 0; k < count; k += LANES)
        for (ptrdiff_t ty = 0; ty < size; ty++) {
            vfloat totals[SUMS_OF_TAP][LARGEST_SIZE] = {{{0}}};
            for (ptrdiff_t row = 0; row < b->rows; row++)
                for (ptrdiff_t column = 0; column < b->columns; column += SUMS_OF_TAP)
#pragma clang loop unroll(full)
                    for (int i = 0; i < SUMS_OF_TAP; i++) {
                        const float *in = x + ((row + ty) * side + column + i) * CHANNELS_TOGETHER + k;
                        vfloat out = load(centre + (row * side + column + i) * CHANNELS_TOGETHER + k);
                        for (ptrdiff_t tx = 0; tx < size; tx++) totals[i][tx] += out * load(in + tx * CHANNELS_TOGETHER);
                    }
            for (ptrdiff_t tx = 0; tx < size; tx++) {
                float *to = dtaps + (ty * size + tx) * b->c + k;
                store_some(to, load_some(to, count - k) + (totals[0][tx] + totals[1][tx]), count - k);
            }
        }
}

/// `add_tap_products_sized` compiled for the common sizes.
INLINE void add_tap_products(ptrdiff_t size, const pixel_block *b, const float *x, const float *dy, ptrdiff_t count, float *dtaps) {
    switch (size) {
    case 3: add_tap_products_sized(3, b, x, dy, count, dtaps); break;
    case 5: add_tap_products_sized(5, b, x, dy, count, dtaps); break;
    default: add_tap_products_sized(size, b, x, dy, count, dtaps);
    }
}

/// dbias[channel] += Σ dy over a block's pixels.
INLINE void add_pixels(const pixel_block *b, ptrdiff_t size, const float *dy, ptrdiff_t count, float *dbias) {
    for (ptrdiff_t k = 0; k < count; k += LANES) {
        vfloat total = splat(0);
        for (ptrdiff_t row = 0; row < b->rows; row++)
            for (ptrdiff_t column = 0; column < b->columns; column++)
                total += load(dy + ((row + size / 2) * copy_side(size) + column + size / 2) * CHANNELS_TOGETHER + k);
        store_some(dbias + k, load_some(dbias + k, count - k) + total, count - k);
    }
}

/// sums[pixel][channel] = Σ taps · copied pixels, for every pixel of a block.
INLINE void convolve_block_sized(const ptrdiff_t size, const pixel_block *b, const float *copy, const float *taps, float *sums) {
    for (ptrdiff_t row = 0; row < b->rows; row++)
        for (ptrdiff_t column = 0; column < b->columns; column += PIXELS_TOGETHER)
            for (ptrdiff_t k = 0; k < CHANNELS_TOGETHER; k += LANES) {
                vfloat totals[PIXELS_TOGETHER] = {{0}};
                for (ptrdiff_t ty = 0; ty < size; ty++)
                    for (ptrdiff_t tx = 0; tx < size; tx++) {
                        const float *from = copy + ((row + ty) * copy_side(size) + column + tx) * CHANNELS_TOGETHER + k;
                        vfloat tap = load(taps + (ty * size + tx) * CHANNELS_TOGETHER + k);
#pragma clang loop unroll(full)
                        for (int i = 0; i < PIXELS_TOGETHER; i++) totals[i] += tap * load(from + i * CHANNELS_TOGETHER);
                    }
#pragma clang loop unroll(full)
                for (int i = 0; i < PIXELS_TOGETHER; i++)
                    store(sums + (row * BLOCK_SIDE + column + i) * CHANNELS_TOGETHER + k, totals[i]);
            }
}

/// `convolve_block_sized` compiled for the common sizes.
INLINE void convolve_block(ptrdiff_t size, const pixel_block *b, const float *copy, const float *taps, float *sums) {
    switch (size) {
    case 3: convolve_block_sized(3, b, copy, taps, sums); break;
    case 5: convolve_block_sized(5, b, copy, taps, sums); break;
    default: convolve_block_sized(size, b, copy, taps, sums);
    }
}

/// Copies as `copy_block` does the gradients for values and gates: dy is the one for values · silu(gates).
INLINE void copy_gate_gradients(
    const pixel_block *b, const float *halves, const float *dy, ptrdiff_t size, ptrdiff_t channel, ptrdiff_t count, float *to_values,
    float *to_gates) {
    ptrdiff_t half = b->c / 2;
    for (ptrdiff_t i = 0; i < b->rows + size - 1; i++)
        for (ptrdiff_t j = 0; j < copy_side(size); j++, to_values += CHANNELS_TOGETHER, to_gates += CHANNELS_TOGETHER) {
            const float *values = surrounding_pixel(b, halves, b->c, size / 2, i, j), *shares = surrounding_pixel(b, dy, half, size / 2, i, j);
            if (!values) {
                __builtin_memset(to_values, 0, CHANNELS_TOGETHER * sizeof(float));
                __builtin_memset(to_gates, 0, CHANNELS_TOGETHER * sizeof(float));
                continue;
            }
            for (ptrdiff_t k = 0; k < CHANNELS_TOGETHER; k += LANES) {
                ptrdiff_t left = count - k;
                vfloat value = splat(0), gate = splat(0), share = splat(0);
                if (left > 0) {
                    value = load_some(values + channel + k, left);
                    gate = load_some(values + half + channel + k, left);
                    share = load_some(shares + channel + k, left);
                }
                vfloat s = sigmoid_of(gate);
                store(to_values + k, share * gate * s);
                store(to_gates + k, share * value * silu_slope(gate, s));
            }
            expect_channels(values + channel);
            expect_channels(values + half + channel);
            expect_channels(shares + channel);
        }
}

/// What the gradients of a depthwise convolution are made from, and where they go.
typedef struct {
    const float *x, *turned;
    ptrdiff_t size;
    revq_activation activation;
    float *dx, *dtaps, *dbias;
} depthwise_gradients;

/// dx of `count` channels of a block from `channel` on, given the gradient for what the activation made of x.
INLINE void write_input_gradient(const depthwise_gradients *g, const pixel_block *b, ptrdiff_t channel, ptrdiff_t count, const float *dactivated) {
    for (ptrdiff_t row = 0; row < b->rows; row++)
        for (ptrdiff_t column = 0; column < b->columns; column++) {
            ptrdiff_t offset = ((b->image * b->h + b->row + row) * b->w + b->column + column) * b->c + channel;
            const float *from = dactivated + (row * BLOCK_SIDE + column) * CHANNELS_TOGETHER;
            for (ptrdiff_t k = 0; k < count; k += LANES) {
                vfloat dx = activation_gradient(load_some(g->x + offset + k, count - k), load(from + k), g->activation);
                store_some(g->dx + offset + k, dx, count - k);
            }
        }
}

/// The share of one block, given the copy of dy.
static void block_backward(const depthwise_gradients *g, const pixel_block *b, ptrdiff_t channel, ptrdiff_t count, const float *dy) {
    float copy[LARGEST_COPY] __attribute__((aligned(64))), taps[LARGEST_TAPS] __attribute__((aligned(64)));
    float sums[BLOCK_PIXELS * CHANNELS_TOGETHER] __attribute__((aligned(64)));
    copy_activated(g->activation, b, g->x, g->size, channel, count, copy);
    add_tap_products(g->size, b, copy, dy, count, g->dtaps + channel);
    if (g->dbias) add_pixels(b, g->size, dy, count, g->dbias + channel);
    copy_rows(g->turned + channel, g->size * g->size, b->c, count, taps);
    convolve_block(g->size, b, dy, taps, sums);
    write_input_gradient(g, b, channel, count, sums);
}

static void depthwise_backward(
    const float *x, const float *halves, const float *dy, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size,
    const float *turned, revq_activation activation, ptrdiff_t first, ptrdiff_t last, float *dx, float *dtaps, float *dbias) {
    float copy[LARGEST_COPY] __attribute__((aligned(64))), gates[LARGEST_COPY] __attribute__((aligned(64)));
    depthwise_gradients g = {x, turned, size, activation, dx, dtaps, dbias};
    for (ptrdiff_t index = 0; index < images * blocks_in_image(h, w); index++) {
        pixel_block b = pixel_block_at(index, h, w, c);
        for (ptrdiff_t channel = first; channel < last; channel += CHANNELS_TOGETHER) {
            ptrdiff_t count = last - channel < CHANNELS_TOGETHER ? last - channel : CHANNELS_TOGETHER;
            if (halves) {
                copy_gate_gradients(&b, halves, dy, size, channel, count, copy, gates);
                block_backward(&g, &b, c / 2 + channel, count, gates);
            } else {
                copy_block(REVQ_IDENTITY, &b, dy, size, channel, count, copy);
            }
            block_backward(&g, &b, channel, count, copy);
        }
    }
}
