// Blocks of a feature map's pixels, copied with their surroundings, a few channels at a time.
//
// Neighbours in a feature map are often a power of two apart and would share few sets of the cache, the copies lie side by side; and
// beyond the picture the copies hold zeros, so that no pixel needs a case of its own.

/// Channels that are copied together.
#define CHANNELS_TOGETHER 32
enum {
    BLOCK_SIDE = 8,
    BLOCK_PIXELS = BLOCK_SIDE * BLOCK_SIDE,
    LARGEST_SIZE = REVQ_DEPTHWISE_LARGEST_SIZE,
    LARGEST_SIDE = BLOCK_SIDE + LARGEST_SIZE - 1,
    LARGEST_COPY = LARGEST_SIDE * LARGEST_SIDE * CHANNELS_TOGETHER,
    LARGEST_TAPS = LARGEST_SIZE * LARGEST_SIZE * CHANNELS_TOGETHER,
};

/// A block of an image, BLOCK_SIDE pixels high and wide or what is left at the lower and right edges.
typedef struct {
    ptrdiff_t h, w, c;
    ptrdiff_t image, row, column, rows, columns;
} pixel_block;

INLINE ptrdiff_t blocks_across(ptrdiff_t w) { return (w + BLOCK_SIDE - 1) / BLOCK_SIDE; }

INLINE ptrdiff_t blocks_in_image(ptrdiff_t h, ptrdiff_t w) { return blocks_across(h) * blocks_across(w); }

/// Block `index`, counted through the blocks of all images, each h × w × c.
INLINE pixel_block pixel_block_at(ptrdiff_t index, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c) {
    ptrdiff_t across = blocks_across(w), in_image = blocks_in_image(h, w);
    ptrdiff_t row = index % in_image / across * BLOCK_SIDE, column = index % across * BLOCK_SIDE;
    return (pixel_block){
        h, w, c, index / in_image, row, column, h - row < BLOCK_SIDE ? h - row : BLOCK_SIDE,
        w - column < BLOCK_SIDE ? w - column : BLOCK_SIDE};
}

/// Pixels from one line of a copy to the next.
INLINE ptrdiff_t copy_side(ptrdiff_t size) { return BLOCK_SIDE + size - 1; }

/// The pixel at line i and column j of the copy of a block, in an image of `c` channels; null outside the image.
INLINE const float *surrounding_pixel(const pixel_block *b, const float *x, ptrdiff_t c, ptrdiff_t reach, ptrdiff_t i, ptrdiff_t j) {
    ptrdiff_t row = b->row + i - reach, column = b->column + j - reach;
    bool is_inside = row >= 0 && row < b->h && column >= 0 && column < b->w;
    return is_inside ? x + ((b->image * b->h + row) * b->w + column) * c : NULL;
}

/// Asks for the channels that are copied next.
INLINE void expect_channels(const float *from) {
    for (ptrdiff_t k = 0; k < CHANNELS_TOGETHER; k += LINE) __builtin_prefetch(from + CHANNELS_TOGETHER + k, 0, 2);
}

/// Copies CHANNELS_TOGETHER channels (or the first `count`, then zeros) of a block and of the pixels up to size / 2 around it, after
/// the activation.
INLINE void copy_block(
    const revq_activation activation, const pixel_block *b, const float *x, ptrdiff_t size, ptrdiff_t channel, ptrdiff_t count, float *to) {
    for (ptrdiff_t i = 0; i < b->rows + size - 1; i++)
        for (ptrdiff_t j = 0; j < copy_side(size); j++, to += CHANNELS_TOGETHER) {
            const float *from = surrounding_pixel(b, x, b->c, size / 2, i, j);
            if (!from) {
                __builtin_memset(to, 0, CHANNELS_TOGETHER * sizeof(float));
                continue;
            }
            for (ptrdiff_t k = 0; k < CHANNELS_TOGETHER; k += LANES)
                store(to + k, k < count ? activated(load_some(from + channel + k, count - k), activation) : splat(0));
            expect_channels(from + channel);
        }
}

/// `copy_block` compiled for each activation.
INLINE void copy_activated(
    revq_activation activation, const pixel_block *b, const float *x, ptrdiff_t size, ptrdiff_t channel, ptrdiff_t count, float *to) {
    CALL_FOR_ACTIVATION(activation, copy_block, b, x, size, channel, count, to);
}

/// Copies CHANNELS_TOGETHER numbers (or the first `count`, then zeros) from each of `rows` rows.
INLINE void copy_rows(const float *from, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t count, float *to) {
    for (ptrdiff_t row = 0; row < rows; row++)
        for (ptrdiff_t k = 0; k < CHANNELS_TOGETHER; k += LANES)
            store(to + row * CHANNELS_TOGETHER + k, k < count ? load_some(from + row * stride + k, count - k) : splat(0));
}
