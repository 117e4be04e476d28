// The largest value of each square neighbourhood that lies inside the picture, channel by channel, and its gradient.

/// What is pooled, [images, h, w, c], and the extents of what it becomes.
typedef struct {
    ptrdiff_t h, w, c, size, stride, ho, wo;
} pooling;

/// The part of a neighbourhood that lies in the picture: its first pixel, counted through the images, and its extents.
typedef struct {
    ptrdiff_t corner, rows, columns;
} neighbourhood;

INLINE neighbourhood neighbourhood_of(const pooling *p, ptrdiff_t result) {
    ptrdiff_t top = result / p->wo % p->ho * p->stride, left = result % p->wo * p->stride;
    return (neighbourhood){
        (result / (p->ho * p->wo) * p->h + top) * p->w + left, p->h - top < p->size ? p->h - top : p->size,
        p->w - left < p->size ? p->w - left : p->size};
}

static void pool_maximum(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t ho, ptrdiff_t wo, ptrdiff_t first,
    ptrdiff_t last, float *y) {
    const pooling p = {h, w, c, size, stride, ho, wo};
    for (ptrdiff_t result = first; result < last; result++) {
        const neighbourhood n = neighbourhood_of(&p, result);
        for (ptrdiff_t channel = 0; channel < c; channel += LANES) {
            const float *from = x + n.corner * c + channel;
            vfloat largest = load_some(from, c - channel);
            for (ptrdiff_t row = 0; row < n.rows; row++)
                for (ptrdiff_t column = 0; column < n.columns; column++)
                    largest = maximum(largest, load_some(from + (row * w + column) * c, c - channel));
            store_some(y + result * c + channel, largest, c - channel);
        }
    }
}

static void pool_maximum_backward(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t ho, ptrdiff_t wo, const float *y,
    const float *dy, ptrdiff_t first, ptrdiff_t last, float *dx) {
    const pooling p = {h, w, c, size, stride, ho, wo};
    for (ptrdiff_t result = first; result < last; result++) {
        const neighbourhood n = neighbourhood_of(&p, result);
        for (ptrdiff_t channel = 0; channel < c; channel += LANES) {
            const ptrdiff_t left = c - channel, at = result * c + channel, corner = n.corner * c + channel;
            const vfloat largest = load_some(y + at, left);
            vbits rest = (vbits)load_some(dy + at, left);
            for (ptrdiff_t row = 0; row < n.rows; row++)
                for (ptrdiff_t column = 0; column < n.columns; column++) {
                    const ptrdiff_t place = corner + (row * w + column) * c;
                    const vbits is_it = (vbits)(load_some(x + place, left) == largest);
                    store_some(dx + place, load_some(dx + place, left) + (vfloat)(rest & is_it), left);
                    rest &= ~is_it;
                }
        }
    }
}
