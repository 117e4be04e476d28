// Convolution as a matrix product whose left factor, the patches, only ever exists for one block of rows at a time.

/// What a convolution reads.
typedef struct {
    const float *x;
    ptrdiff_t h, w, c, size, stride;
} picture;

/// Copies numbers, or writes zeros, and returns where the next one goes. Up to LANES - 1 behind the last are overwritten.
INLINE float *put_numbers(float *to, const float *from, ptrdiff_t count) {
    for (ptrdiff_t k = 0; k < count; k += LANES) store(to + k, load_some(from + k, count - k));
    return to + count;
}

INLINE float *put_zeros(float *to, ptrdiff_t count) {
    for (ptrdiff_t k = 0; k < count; k += LANES) store(to + k, splat(0));
    return to + count;
}

/// An output pixel's patch: its image, and its first row and column, which may lie outside of that.
typedef struct {
    const float *image;
    ptrdiff_t top, left;
} patch;

/// Puts numbers start..<end of a patch one after the other, zeros for what lies outside of the picture.
INLINE void put_lines(const picture *p, patch here, ptrdiff_t start, ptrdiff_t end, float *to) {
    const float *image = here.image;
    const ptrdiff_t top = here.top, left = here.left, width = p->size * p->c;
    for (ptrdiff_t line = start / width; line * width < end; line++) {
        ptrdiff_t row = top + line, offset = line * width;
        bool is_inside = row >= 0 && row < p->h;
        // The part of the line that lies in the picture, and the part of that which is asked for.
        ptrdiff_t first = offset + (left < 0 ? -left * p->c : 0);
        ptrdiff_t last = is_inside && left < p->w ? offset + (p->w - left) * p->c : first;
        ptrdiff_t from = start > offset ? start : offset, until = end < offset + width ? end : offset + width;
        first = first < from ? from : first > until ? until : first;
        last = last < first ? first : last > until ? until : last;
        to = put_zeros(to, first - from);
        to = put_numbers(to, image + (row * p->w + left) * p->c + first - offset, last - first);
        to = put_zeros(to, until - last);
    }
}

/// Puts numbers start..<end of a patch into row `at` of a strip. A patch is `size` lines, each `size` pixels of c numbers that follow each other
/// in the picture too.
INLINE void gather_patch(const picture *p, patch here, ptrdiff_t start, ptrdiff_t end, float *strip, ptrdiff_t at) {
    const float *image = here.image;
    const ptrdiff_t top = here.top, left = here.left, width = p->size * p->c;
    // Put together before it goes into the strip, which may want numbers in another form: that is done for whole steps.
    float numbers[DEPTH + LANES], *to = numbers;
    const bool is_whole = start == 0 && end == p->size * width;
    const bool is_interior = top >= 0 && left >= 0 && top + p->size <= p->h && left + p->size <= p->w;
    if (is_whole && is_interior)
        for (ptrdiff_t line = 0; line < p->size; line++) to = put_numbers(to, image + ((top + line) * p->w + left) * p->c, width);
    else
        put_lines(p, here, start, end, to);
    for (ptrdiff_t k = 0; k < end - start; k += STEP) strip_store(strip, at, k, load_some_step(numbers + k, end - start - k));
}

/// The same for all rows of a strip, output pixels first..<first + rows, where a step never crosses a tap. Step by step, so that the
/// strip is written from front to back.
INLINE void gather_patches(
    const picture *p, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t end, float *strip) {
    ptrdiff_t ho = (p->h + p->stride - 1) / p->stride, wo = (p->w + p->stride - 1) / p->stride;
    const float *corners[TILE_ROWS];
    ptrdiff_t tops[TILE_ROWS], lefts[TILE_ROWS];
    for (ptrdiff_t i = 0; i < rows; i++) {
        ptrdiff_t pixel = first + i;
        tops[i] = pixel / wo % ho * p->stride - p->size / 2;
        lefts[i] = pixel % wo * p->stride - p->size / 2;
        corners[i] = p->x + ((pixel / (ho * wo) * p->h + tops[i]) * p->w + lefts[i]) * p->c;
    }
    for (ptrdiff_t k = start; k < end; k += STEP) {
        ptrdiff_t tap = k / p->c, down = tap / p->size, right = tap % p->size;
        ptrdiff_t offset = (down * p->w + right) * p->c + k % p->c;
        for (ptrdiff_t i = 0; i < rows; i++) {
            ptrdiff_t row = tops[i] + down, column = lefts[i] + right;
            bool is_inside = row >= 0 && row < p->h && column >= 0 && column < p->w;
            strip_store(strip, i, k - start, is_inside ? load_step(corners[i] + offset) : (step){0});
        }
    }
}

INLINE void fill_strip_with_patches(
    const picture *p, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t end, float *strip) {
    if (p->c % STEP == 0) return gather_patches(p, first, rows, start, end, strip);
    const ptrdiff_t ho = (p->h + p->stride - 1) / p->stride, wo = (p->w + p->stride - 1) / p->stride;
    ptrdiff_t image = first / (ho * wo), row = first / wo % ho, column = first % wo;
    for (ptrdiff_t i = 0; i < rows; i++) {
        patch here = {p->x + image * p->h * p->w * p->c, row * p->stride - p->size / 2, column * p->stride - p->size / 2};
        gather_patch(p, here, start, end, strip, i);
        if (++column == wo) column = 0, row++;
        if (row == ho) row = 0, image++;
    }
}

static void convolve(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t first, ptrdiff_t last,
    const float *panels, ptrdiff_t n, float *y, ptrdiff_t ldc, const float *bias, revq_activation activation) {
    picture p = {x, h, w, c, size, stride};
    ptrdiff_t k = size * size * c;
    float strips[STRIPS_IN_BLOCK][DEPTH * STRIP_WIDTH] __attribute__((aligned(64)));
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        ptrdiff_t depth = k - start < DEPTH ? k - start : DEPTH;
        epilogue end = {start == 0 ? bias : NULL, start > 0, start + depth == k ? activation : REVQ_IDENTITY};
        for (ptrdiff_t pixel = first; pixel < last; pixel += BLOCK_ROWS) {
            ptrdiff_t rows = last - pixel < BLOCK_ROWS ? last - pixel : BLOCK_ROWS;
            for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
                ptrdiff_t count = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
                fill_strip_with_patches(&p, pixel + i, count, start, start + depth, strips[i / TILE_ROWS]);
            }
            product_shape shape = {rows, n, depth, DEPTH * STRIP_WIDTH, k * PANEL, ldc, end};
            multiply_strips(&shape, &(product){strips[0], panels + start * PANEL, y + pixel * ldc}, 1);
        }
    }
}
