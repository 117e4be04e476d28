// The parameter-free shortcuts of DC-AE's steps between resolutions, added to what a convolution left. Pixel-unshuffled, channel
// 4i + 2·dy + dx is channel i of pixel (dy, dx) of a 2×2 tile; `share` of these channels belong to one channel of the other side.

/// `share` is constant at every call, so that each case becomes its own loop.
INLINE void add_means(const float *const pixels[4], ptrdiff_t c, const int share, float *y) {
    const float factor = 1.0f / (float)share;
    for (ptrdiff_t i = 0; i < c; i++)
        for (int j = 0; j < 4 / share; j++) {
            float total = 0;
            for (int m = j * share; m < (j + 1) * share; m++) total += pixels[m][i];
            y[i * (4 / share) + j] += total * factor;
        }
}

INLINE void add_means_across(const float *const pixels[4], ptrdiff_t c, ptrdiff_t share, float *y) {
    for (ptrdiff_t o = 0; o < 4 * c / share; o++) {
        float total = 0;
        for (ptrdiff_t m = o * share; m < (o + 1) * share; m++) total += pixels[m % 4][m / 4];
        y[o] += total / (float)share;
    }
}

static void add_downsampled(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t share, ptrdiff_t first, ptrdiff_t last, float *y) {
    ptrdiff_t n = 4 * c / share;
    for (ptrdiff_t line = first; line < last; line++) {
        const float *top = x + (line / (h / 2) * h + line % (h / 2) * 2) * w * c;
        for (ptrdiff_t column = 0; column < w / 2; column++) {
            const float *corner = top + 2 * column * c;
            const float *const pixels[4] = {corner, corner + c, corner + w * c, corner + w * c + c};
            float *to = y + (line * (w / 2) + column) * n;
            switch (share) {
            case 1: add_means(pixels, c, 1, to); break;
            case 2: add_means(pixels, c, 2, to); break;
            case 4: add_means(pixels, c, 4, to); break;
            default: add_means_across(pixels, c, share, to);
            }
        }
    }
}

/// Adds to n channels of pixel `place` of a 2×2 tile the shared channels of x. `share` is constant at every call.
INLINE void add_shared(const float *x, ptrdiff_t n, int place, const int share, float *y) {
    x += place / share;
    for (ptrdiff_t o = 0; o < n; o++) y[o] += x[o * (4 / share)];
}

static void add_upsampled(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t share, ptrdiff_t first, ptrdiff_t last, float *y) {
    ptrdiff_t n = c * share / 4;
    for (ptrdiff_t line = first; line < last; line++) {
        const float *row = x + (line / (2 * h) * h + line % (2 * h) / 2) * w * c;
        for (ptrdiff_t column = 0; column < 2 * w; column++) {
            int place = (int)(line % 2 * 2 + column % 2);
            const float *from = row + column / 2 * c;
            float *to = y + (line * 2 * w + column) * n;
            switch (share) {
            case 1: add_shared(from, n, place, 1, to); break;
            case 2: add_shared(from, n, place, 2, to); break;
            case 4: add_shared(from, n, place, 4, to); break;
            default:
                for (ptrdiff_t o = 0; o < n; o++) to[o] += from[(4 * o + place) / share];
            }
        }
    }
}
