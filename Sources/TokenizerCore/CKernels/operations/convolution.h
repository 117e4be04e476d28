// Convolution as a matrix product whose left factor, the patches, only ever exists one register tile at a time.

/// What a convolution reads.
typedef struct {
    const float *x;
    ptrdiff_t h, w, c, size, stride;
} picture;

/// Numbers start..<end of one row of a patch: `left` is its first column in the picture; zeros outside.
INLINE void gather_run(const float *row, ptrdiff_t w, ptrdiff_t c, ptrdiff_t left, ptrdiff_t start, ptrdiff_t end, float *to) {
    ptrdiff_t inside = left < 0 ? -left * c : 0;
    ptrdiff_t outside = (w - left) * c;
    ptrdiff_t first = start > inside ? start : inside < end ? inside : end;
    ptrdiff_t last = end < outside ? end : outside > first ? outside : first;
    for (ptrdiff_t i = start; i < first; i++) *to++ = 0;
    copy(to, row + left * c + first, last - first);
    to += last - first;
    for (ptrdiff_t i = last; i < end; i++) *to++ = 0;
}

/// Numbers start..<end of the patch whose centre is output pixel (row, column); patches are ordered (row, column, channel).
INLINE void gather_patch(const picture *p, ptrdiff_t row, ptrdiff_t column, ptrdiff_t start, ptrdiff_t end, float *to) {
    ptrdiff_t top = row * p->stride - p->size / 2, left = column * p->stride - p->size / 2;
    ptrdiff_t width = p->size * p->c;
    for (ptrdiff_t line = start / width; line * width < end; line++) {
        ptrdiff_t from = start > line * width ? start - line * width : 0;
        ptrdiff_t until = end < (line + 1) * width ? end - line * width : width;
        // A line above or below the picture is one whose columns all lie outside.
        bool is_inside = top + line >= 0 && top + line < p->h;
        gather_run(is_inside ? p->x + (top + line) * p->w * p->c : p->x, is_inside ? p->w : left, p->c, left, from, until, to);
        to += until - from;
    }
}

static void convolve(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t first, ptrdiff_t last,
    const float *panels, ptrdiff_t n, float *y, ptrdiff_t ldc, const float *bias, revq_activation activation) {
    picture p = {x, h, w, c, size, stride};
    ptrdiff_t wo = (w + stride - 1) / stride, k = size * size * c;
    float strip[TILE_ROWS * DEPTH] __attribute__((aligned(64)));
    for (ptrdiff_t start = 0; start < k; start += DEPTH) {
        ptrdiff_t depth = k - start < DEPTH ? k - start : DEPTH;
        epilogue end = {start == 0 ? bias : NULL, start > 0, start + depth == k ? activation : REVQ_IDENTITY};
        for (ptrdiff_t pixel = first; pixel < last; pixel += TILE_ROWS) {
            int rows = last - pixel < TILE_ROWS ? (int)(last - pixel) : TILE_ROWS;
            for (int i = 0; i < rows; i++)
                gather_patch(&p, (pixel + i) / wo, (pixel + i) % wo, start, start + depth, strip + i * DEPTH);
            multiply_strip(rows, n, depth, strip, panels + start * PANEL, k * PANEL, y + pixel * ldc, ldc, end);
        }
    }
}
