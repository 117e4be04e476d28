// Stride-1 3×3 convolution by Winograd's F(4×4, 3×3): each 4×4 tile of the output costs 36 products per pair of channels instead
// of 144. A band of tiles goes through all three steps before the next one starts, so that what lies between them stays cached:
//
//   V[ξ][tile][c] = Bᵀ d B      the 6×6 pixels around each tile, ξ = 0 ..< 36
//   M[ξ][tile][n] = V[ξ] · U[ξ]
//   y = Aᵀ M A
//
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015; points 0, ±1, ±2, ∞.

#define TILE 4
#define POINTS 6
#define PRODUCTS (POINTS * POINTS)
/// Channels of the result that are formed together; a multiple of PANEL.
#define CHUNK REVQ_WINOGRAD_CHUNK

/// The output tiles of all images, counted row by row.
typedef struct {
    const float *x;
    ptrdiff_t h, w, c, down, across;
} tiling;

/// A place in the picture: the first output pixel of a tile.
typedef struct {
    ptrdiff_t image, row, column;
} place;

INLINE place place_of(const tiling *t, ptrdiff_t tile_index) {
    return (place){
        tile_index / (t->across * t->down), tile_index / t->across % t->down * TILE, tile_index % t->across * TILE};
}

/// Bᵀ d, for six pixels in a line.
INLINE void transform_input_line(const vfloat d[POINTS], vfloat v[POINTS]) {
    vfloat odd = d[3] - d[1] * 4.0f, even = d[4] - d[2] * 4.0f;
    vfloat odd2 = (d[3] - d[1]) * 2.0f, even2 = d[4] - d[2];
    v[0] = d[0] * 4.0f - d[2] * 5.0f + d[4];
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = even2 + odd2;
    v[4] = even2 - odd2;
    v[5] = d[1] * 4.0f - d[3] * 5.0f + d[5];
}

/// Aᵀ m, for the six products in a line.
INLINE void transform_output_line(const vfloat m[POINTS], vfloat y[TILE]) {
    vfloat sum1 = m[1] + m[2], difference1 = m[1] - m[2];
    vfloat sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    y[0] = m[0] + sum1 + sum2;
    y[1] = difference1 + difference2 * 2.0f;
    y[2] = sum1 + sum2 * 4.0f;
    y[3] = difference1 + difference2 * 8.0f + m[5];
}

/// Transforms LANES channels of a 6×6 patch; `to` receives the 36 results, `step` floats apart.
INLINE void transform_patch(const float *from, ptrdiff_t row_stride, ptrdiff_t column_stride, float *to, ptrdiff_t step) {
    vfloat half[POINTS][POINTS];
#pragma clang loop unroll(full)
    for (int column = 0; column < POINTS; column++) {
        vfloat d[POINTS], v[POINTS];
#pragma clang loop unroll(full)
        for (int row = 0; row < POINTS; row++) d[row] = load(from + row * row_stride + column * column_stride);
        transform_input_line(d, v);
#pragma clang loop unroll(full)
        for (int row = 0; row < POINTS; row++) half[row][column] = v[row];
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < POINTS; row++) {
        vfloat v[POINTS];
        transform_input_line(half[row], v);
#pragma clang loop unroll(full)
        for (int column = 0; column < POINTS; column++) store(to + (row * POINTS + column) * step, v[column]);
    }
}

/// Copies LANES channels of a patch that reaches over the picture's edge; zeros outside.
static void copy_patch(const tiling *t, place at, ptrdiff_t channel, float patch[PRODUCTS * LANES]) {
    const float *image = t->x + at.image * t->h * t->w * t->c;
    for (ptrdiff_t i = 0; i < PRODUCTS; i++) {
        ptrdiff_t row = at.row - 1 + i / POINTS, column = at.column - 1 + i % POINTS;
        bool is_inside = row >= 0 && row < t->h && column >= 0 && column < t->w;
        store(patch + i * LANES, is_inside ? load(image + (row * t->w + column) * t->c + channel) : splat(0));
    }
}

/// Fills row `at % TILE_ROWS` of the 36 strips that tile `at` of the band belongs to.
static void transform_input(const tiling *t, place from, ptrdiff_t at, float *v, ptrdiff_t step) {
    float *strip = v + at / TILE_ROWS * TILE_ROWS * t->c;
    bool is_interior = from.row > 0 && from.column > 0 && from.row + TILE < t->h && from.column + TILE < t->w;
    const float *corner = t->x + ((from.image * t->h + from.row - 1) * t->w + from.column - 1) * t->c;
    for (ptrdiff_t channel = 0; channel < t->c; channel += LANES) {
        float *to = strip + strip_index(at % TILE_ROWS, channel);
        if (is_interior) {
            transform_patch(corner + channel, t->w * t->c, t->c, to, step);
        } else {
            float patch[PRODUCTS * LANES];
            copy_patch(t, from, channel, patch);
            transform_patch(patch, POINTS * LANES, LANES, to, step);
        }
    }
}

/// y[4][4] = Aᵀ m A for LANES channels.
INLINE void transform_products(const float *m, ptrdiff_t step, vfloat y[TILE][TILE]) {
    vfloat half[TILE][POINTS];
#pragma clang loop unroll(full)
    for (int column = 0; column < POINTS; column++) {
        vfloat products[POINTS], sums[TILE];
#pragma clang loop unroll(full)
        for (int row = 0; row < POINTS; row++) products[row] = load(m + (row * POINTS + column) * step);
        transform_output_line(products, sums);
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++) half[row][column] = sums[row];
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < TILE; row++) transform_output_line(half[row], y[row]);
}

/// Writes the part of a tile that lies in the picture.
static void transform_output(
    const tiling *t, place to, const float *m, ptrdiff_t step, ptrdiff_t columns, float *y, ptrdiff_t ldc, const float *bias,
    revq_activation activation) {
    ptrdiff_t rows_inside = t->h - to.row < TILE ? t->h - to.row : TILE;
    ptrdiff_t columns_inside = t->w - to.column < TILE ? t->w - to.column : TILE;
    float *corner = y + ((to.image * t->h + to.row) * t->w + to.column) * ldc;
    for (ptrdiff_t channel = 0; channel < columns; channel += LANES) {
        ptrdiff_t left = columns - channel;
        vfloat sums[TILE][TILE];
        transform_products(m + channel, step, sums);
        vfloat offset = !bias ? splat(0) : left < LANES ? load_first(bias + channel, left) : load(bias + channel);
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++)
#pragma clang loop unroll(full)
            for (int column = 0; column < TILE; column++) {
                if (row >= rows_inside || column >= columns_inside) continue;
                float *target = corner + (row * t->w + column) * ldc + channel;
                vfloat result = finish(sums[row][column], offset, activation);
                if (left < LANES)
                    store_first(target, result, left);
                else
                    store(target, result);
            }
    }
}

/// M = V · U for one chunk of channels; the weights are read once, front to back.
static void multiply_transformed(
    ptrdiff_t tiles_in_band, ptrdiff_t c, const float *v, ptrdiff_t v_step, const float *weights, ptrdiff_t columns, float *m,
    ptrdiff_t m_step) {
    ptrdiff_t panels = (columns + PANEL - 1) / PANEL;
    for (ptrdiff_t point = 0; point < PRODUCTS; point++, v += v_step, m += m_step)
        for (ptrdiff_t column = 0; column < panels * PANEL; column += TILE_COLUMNS) {
            ptrdiff_t used = columns - column < TILE_COLUMNS ? columns - column : TILE_COLUMNS;
            if (used <= 0) continue;
            const float *panel = weights + (point * panels + column / PANEL) * c * PANEL + column % PANEL;
            for (ptrdiff_t start = 0; start < c; start += DEPTH) {
                ptrdiff_t depth = c - start < DEPTH ? c - start : DEPTH;
                const float *b = panel + start * PANEL;
                for (ptrdiff_t first = 0; first < tiles_in_band; first += TILE_ROWS) {
                    ptrdiff_t rows = tiles_in_band - first < TILE_ROWS ? tiles_in_band - first : TILE_ROWS;
                    const float *strip = v + first * c + start * TILE_ROWS;
                    // Whole vectors are stored: there is room for CHUNK columns.
                    tiles[rows - 1][used > LANES](
                        depth, strip, b, b + depth * PANEL, m + first * CHUNK + column, CHUNK, TILE_COLUMNS,
                        (epilogue){NULL, start > 0, REVQ_IDENTITY});
                }
            }
        }
}

static void convolve_winograd(
    const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t first, ptrdiff_t last, const float *weights, ptrdiff_t n,
    ptrdiff_t first_column, ptrdiff_t last_column, float *y, const float *bias, revq_activation activation, float *scratch) {
    tiling t = {x, h, w, c, (h + TILE - 1) / TILE, (w + TILE - 1) / TILE};
    ptrdiff_t count = last - first, strips = (count + TILE_ROWS - 1) / TILE_ROWS;
    // One line more than needed, so that the 36 parts do not all fall into the same sets of the cache.
    ptrdiff_t v_step = strips * TILE_ROWS * c + LINE, m_step = count * CHUNK + LINE;
    float *v = scratch, *m = scratch + PRODUCTS * v_step;
    for (ptrdiff_t tile_index = first; tile_index < last; tile_index++)
        transform_input(&t, place_of(&t, tile_index), tile_index - first, v, v_step);
    for (ptrdiff_t column = first_column; column < last_column; column += CHUNK) {
        ptrdiff_t columns = n - column < CHUNK ? n - column : CHUNK;
        multiply_transformed(count, c, v, v_step, weights + column * PRODUCTS * c, columns, m, m_step);
        for (ptrdiff_t tile_index = first; tile_index < last; tile_index++)
            transform_output(
                &t, place_of(&t, tile_index), m + (tile_index - first) * CHUNK, m_step, columns, y + column, n,
                bias ? bias + column : NULL, activation);
    }
}

static ptrdiff_t winograd_scratch(ptrdiff_t c, ptrdiff_t tile_count) {
    ptrdiff_t strips = (tile_count + TILE_ROWS - 1) / TILE_ROWS;
    return PRODUCTS * (strips * TILE_ROWS * c + LINE + tile_count * CHUNK + LINE);
}
