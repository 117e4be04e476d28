// The gradient for the weights of a stride-1 3×3 convolution by the transpose of F(4×4, 3×3): for each 4×4 tile of the result 36 products
// per pair of channels instead of 144. A band of tiles goes through both transforms before it is multiplied:
//
//   V[ξ][tile][c] = Bᵀ d B      the 6×6 pixels around each tile, as for the convolution itself
//   D[ξ][tile][n] = A dy Aᵀ     the gradient for the tile's results
//   M[ξ] += D[ξ]ᵀ · V[ξ]
//
// and after the last band the gradient is Gᵀ M G.

/// Tiles whose transforms exist at a time, and the length of a sum: what they fill stays in the cache of all cores.
#define GRADIENT_BAND 64
/// Products of a tile.
#define GRADIENT_POINTS 36

INLINE ptrdiff_t whole_panels(ptrdiff_t columns) { return (columns + PANEL - 1) / PANEL * PANEL; }

/// As `transform_step`: a line more than needed.
INLINE ptrdiff_t gradient_step(ptrdiff_t columns) { return GRADIENT_BAND * columns + LINE; }

/// A y, for the gradients in a line.
INLINE void spread_line(const vfloat y[TILE], vfloat m[6]) {
    vfloat even = y[0] + y[2], odd = y[1] + y[3];
    vfloat even2 = y[0] + y[2] * 4.0f, odd2 = y[1] * 2.0f + y[3] * 8.0f;
    m[0] = y[0];
    m[1] = even + odd;
    m[2] = even - odd;
    m[3] = even2 + odd2;
    m[4] = even2 - odd2;
    m[5] = y[3];
}

/// Transforms LANES channels of a tile of gradients; zeros outside of the picture.
INLINE void spread_tile(const tiling *t, place from, const float *dy, ptrdiff_t n, ptrdiff_t channel, float *to, ptrdiff_t between) {
    const float *corner = dy + ((from.image * t->h + from.row) * t->w + from.column) * n + channel;
    const ptrdiff_t rows = t->h - from.row, columns = t->w - from.column, left = n - channel;
    vfloat half[6][TILE];
#pragma clang loop unroll(full)
    for (int column = 0; column < TILE; column++) {
        vfloat y[TILE], m[6];
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++)
            y[row] = row < rows && column < columns ? load_some(corner + (row * t->w + column) * n, left) : splat(0);
        spread_line(y, m);
#pragma clang loop unroll(full)
        for (int row = 0; row < 6; row++) half[row][column] = m[row];
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < 6; row++) {
        vfloat m[6];
        spread_line(half[row], m);
#pragma clang loop unroll(full)
        for (int column = 0; column < 6; column++) store(to + (row * 6 + column) * between, m[column]);
    }
}

/// Transforms the pixels of a tile, LANES channels at a time, into row `at` of panels of `count` rows.
INLINE void transform_into_panels(
    const tiling *t, place tile_place, ptrdiff_t first, ptrdiff_t last, ptrdiff_t at, ptrdiff_t count, float *v, ptrdiff_t between) {
    enum { SIDE = 6 };
    const place corner = {tile_place.image, tile_place.row - 1, tile_place.column - 1};
    const bool is_interior = corner.row >= 0 && corner.column >= 0 && corner.row + SIDE <= t->h && corner.column + SIDE <= t->w;
    const float *image = t->x + corner.image * t->h * t->w * t->c;
    for (ptrdiff_t channel = first; channel < last; channel += LANES) {
        vfloat half[MOST_POINTS][MOST_POINTS];
        if (is_interior) {
            transform_columns(REVQ_PLAIN_PICTURE, image + (corner.row * t->w + corner.column) * t->c + channel, t->w * t->c, t->c, half);
        } else {
            float patch[SIDE * SIDE * LANES] __attribute__((aligned(64)));
            for (ptrdiff_t i = 0; i < SIDE * SIDE; i++) {
                ptrdiff_t row = corner.row + i / SIDE, column = corner.column + i % SIDE;
                bool is_inside = row >= 0 && row < t->h && column >= 0 && column < t->w;
                store(patch + i * LANES, is_inside ? load(image + (row * t->w + column) * t->c + channel) : splat(0));
            }
            transform_columns(REVQ_PLAIN_PICTURE, patch, SIDE * LANES, LANES, half);
        }
        const ptrdiff_t place_in_panels = channel - first;
        float *to = v + (place_in_panels / PANEL * count + at) * PANEL + place_in_panels % PANEL;
#pragma clang loop unroll(full)
        for (int line = 0; line < SIDE; line++) {
            vfloat transformed[MOST_POINTS];
            transform_input_line(REVQ_PLAIN_PICTURE, half[line], transformed);
#pragma clang loop unroll(full)
            for (int column = 0; column < SIDE; column++) store(to + (line * SIDE + column) * between, transformed[column]);
        }
    }
}

/// M (=, +=) D[ξ]ᵀ · V[ξ] for a band of `count` tiles.
static void multiply_gradient_band(
    ptrdiff_t count, const float *d, ptrdiff_t n, ptrdiff_t d_step, const float *v, ptrdiff_t columns, ptrdiff_t v_step, float *sums,
    bool is_first) {
    const ptrdiff_t width = (n + LANES - 1) / LANES * LANES;
    const product_shape shape = {n, columns, count, 0, count * PANEL, columns, is_first ? set_sums : add_sums};
    for (ptrdiff_t point = 0; point < GRADIENT_POINTS; point++)
        multiply_transposed(&shape, d + point * d_step, width, v + point * v_step, sums + point * n * columns);
}

/// Gᵀ m, for the sums in a line.
INLINE void gather_line(const vfloat m[6], vfloat g[3]) {
    vfloat sum1 = m[1] + m[2], sum2 = m[3] + m[4];
    g[0] = m[0] * (1.0f / 4) - sum1 * (1.0f / 6) + sum2 * (1.0f / 24);
    g[1] = (m[2] - m[1]) * (1.0f / 6) + (m[3] - m[4]) * (1.0f / 12);
    g[2] = (sum2 - sum1) * (1.0f / 6) + m[5];
}

/// gradient[n][9][c] += Gᵀ M G.
INLINE void add_gathered(const float *sums, ptrdiff_t n, ptrdiff_t columns, float *gradient, ptrdiff_t c) {
    for (ptrdiff_t row = 0; row < n; row++)
        for (ptrdiff_t channel = 0; channel < columns; channel += LANES) {
            const float *from = sums + row * columns + channel;
            vfloat half[3][6];
#pragma clang loop unroll(full)
            for (int column = 0; column < 6; column++) {
                vfloat m[6], g[3];
#pragma clang loop unroll(full)
                for (int line = 0; line < 6; line++) m[line] = load(from + (line * 6 + column) * n * columns);
                gather_line(m, g);
#pragma clang loop unroll(full)
                for (int line = 0; line < 3; line++) half[line][column] = g[line];
            }
            float *to = gradient + row * 9 * c + channel;
#pragma clang loop unroll(full)
            for (int line = 0; line < 3; line++) {
                vfloat g[3];
                gather_line(half[line], g);
#pragma clang loop unroll(full)
                for (int tap = 0; tap < 3; tap++) {
                    float *place = to + (line * 3 + tap) * c;
                    store(place, load(place) + g[tap]);
                }
            }
        }
}

static ptrdiff_t winograd_gradient_scratch(ptrdiff_t n, ptrdiff_t columns) {
    const ptrdiff_t width = (n + LANES - 1) / LANES * LANES;
    return GRADIENT_POINTS * (gradient_step(whole_panels(columns)) + gradient_step(width) + n * columns);
}

static void add_winograd_gradient(
    const float *x, const float *dy, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t n, ptrdiff_t first, ptrdiff_t last,
    ptrdiff_t first_column, ptrdiff_t last_column, float *gradient, float *scratch) {
    const tiling t = {x, h, w, c, h, w, REVQ_PLAIN_PICTURE, (h + TILE - 1) / TILE, (w + TILE - 1) / TILE};
    const ptrdiff_t columns = last_column - first_column, width = (n + LANES - 1) / LANES * LANES;
    const ptrdiff_t v_step = gradient_step(whole_panels(columns)), d_step = gradient_step(width);
    float *v = scratch, *d = v + GRADIENT_POINTS * v_step, *sums = d + GRADIENT_POINTS * d_step;
    for (ptrdiff_t start = first; start < last; start += GRADIENT_BAND) {
        ptrdiff_t count = last - start < GRADIENT_BAND ? last - start : GRADIENT_BAND;
        for (ptrdiff_t i = 0; i < count; i++) {
            place here = place_of(&t, start + i);
            transform_into_panels(&t, here, first_column, last_column, i, count, v, v_step);
            for (ptrdiff_t channel = 0; channel < n; channel += LANES)
                spread_tile(&t, here, dy, n, channel, d + i * width + channel, d_step);
        }
        multiply_gradient_band(count, d, n, d_step, v, columns, v_step, sums, start == first);
    }
    add_gathered(sums, n, columns, gradient + first_column, c);
}
