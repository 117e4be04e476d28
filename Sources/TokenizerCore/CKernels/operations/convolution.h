// Convolution as a matrix product whose left factor, the patches, only ever exists one register tile at a time.

/// What a convolution reads.
typedef struct {
    const float *x;
    ptrdiff_t h, w, c, size, stride;
} picture;

/// Puts zeros at numbers start..<end of a row of a strip.
INLINE void clear_strip(float *strip, ptrdiff_t row, ptrdiff_t start, ptrdiff_t end) {
    for (ptrdiff_t k = start; k < end; k++) strip[strip_index(row, k)] = 0;
}

/// Puts numbers start..<end of the patch whose centre is output pixel `pixel` (counted through the images) into row `at` of a
/// strip. A patch is `size` lines, each `size` pixels of c numbers that follow each other in the picture too.
INLINE void gather_patch(const picture *p, ptrdiff_t pixel, ptrdiff_t start, ptrdiff_t end, float *strip, ptrdiff_t at) {
    ptrdiff_t ho = (p->h + p->stride - 1) / p->stride, wo = (p->w + p->stride - 1) / p->stride;
    const float *image = p->x + pixel / (ho * wo) * p->h * p->w * p->c;
    ptrdiff_t top = pixel / wo % ho * p->stride - p->size / 2, left = pixel % wo * p->stride - p->size / 2;
    ptrdiff_t width = p->size * p->c;
    for (ptrdiff_t line = start / width; line * width < end; line++) {
        ptrdiff_t row = top + line, offset = line * width;
        bool is_inside = row >= 0 && row < p->h;
        // The part of the line that lies in the picture, and the part of that which is asked for.
        ptrdiff_t first = offset + (left < 0 ? -left * p->c : 0);
        ptrdiff_t last = is_inside && left < p->w ? offset + (p->w - left) * p->c : first;
        ptrdiff_t from = start > offset ? start : offset, until = end < offset + width ? end : offset + width;
        first = first < from ? from : first > until ? until : first;
        last = last < first ? first : last > until ? until : last;
        clear_strip(strip, at, from - start, first - start);
        fill_strip(strip, at, first - start, last - start, image + (row * p->w + left) * p->c + first - offset);
        clear_strip(strip, at, last - start, until - start);
    }
}

static void convolve(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t first, ptrdiff_t last,
    const float *panels, ptrdiff_t n, float *y, ptrdiff_t ldc, const float *bias, revq_activation activation) {
    picture p = {x, h, w, c, size, stride};
    ptrdiff_t k = size * size * c;
    float strip[TILE_ROWS * DEPTH] __attribute__((aligned(64)));
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        ptrdiff_t depth = k - start < DEPTH ? k - start : DEPTH;
        epilogue end = {start == 0 ? bias : NULL, start > 0, start + depth == k ? activation : REVQ_IDENTITY};
        for (ptrdiff_t pixel = first; pixel < last; pixel += TILE_ROWS) {
            int rows = last - pixel < TILE_ROWS ? (int)(last - pixel) : TILE_ROWS;
            for (int i = 0; i < rows; i++) gather_patch(&p, pixel + i, start, start + depth, strip, i);
            multiply_strip(rows, n, depth, strip, panels + start * PANEL, k * PANEL, y + pixel * ldc, ldc, &end);
        }
    }
}
