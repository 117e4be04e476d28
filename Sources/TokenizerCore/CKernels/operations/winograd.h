// Stride-1 3×3 convolution by Winograd's F(4×4, 3×3): each 4×4 tile of the output costs 36 products per pair of channels instead
// of 144. A band of tiles goes through all three steps before the next one starts, so that what lies between them stays cached:
//
//   V[ξ][tile][c] = Bᵀ d B      the 6×6 pixels around each tile, ξ = 0 ..< 36
//   M[ξ][tile][n] = V[ξ] · U[ξ]
//   y = Aᵀ M A
//
// Where the picture is first enlarged by repeating each pixel, the six pixels of a line are (a, b, b, c, c, e). One of their six
// transforms is then zero and two are multiples of c − b, so that 4×4 source pixels, 16 transforms and 25 products are enough:
// the multiples go into the weights, and so do the sum and the difference in which Aᵀ uses those two products.
//
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015; points 0, ±1, ±2, ∞.

#define TILE 4
#define MOST_POINTS 6
/// Products in a line of a tile.
#define POINTS(is_enlarging) ((is_enlarging) ? 5 : 6)
/// Pixels that a line of a tile is made from, and different transforms of them.
#define PIXELS(is_enlarging) ((is_enlarging) ? 4 : 6)
/// Channels of the result that are formed together; a multiple of PANEL.
#define CHUNK REVQ_WINOGRAD_CHUNK

/// The output tiles of all images, counted row by row.
typedef struct {
    const float *x;
    /// Extents of the input and of the output.
    ptrdiff_t h, w, c, ho, wo;
    bool is_enlarging;
    ptrdiff_t down, across;
} tiling;

/// A tile: its image and its first output pixel.
typedef struct {
    ptrdiff_t image, row, column;
} place;

INLINE place place_of(const tiling *t, ptrdiff_t tile_index) {
    return (place){
        tile_index / (t->across * t->down), tile_index / t->across % t->down * TILE, tile_index % t->across * TILE};
}

/// Bᵀ d, for the pixels in a line.
INLINE void transform_input_line(const bool is_enlarging, const vfloat *d, vfloat *v) {
    if (is_enlarging) {
        v[0] = d[0] * 4.0f - d[1] * 5.0f + d[2];
        v[1] = d[2] - d[1] * 4.0f;
        v[2] = d[2] - d[1];
        v[3] = d[1] * 4.0f - d[2] * 5.0f + d[3];
        return;
    }
    vfloat odd = d[3] - d[1] * 4.0f, even = d[4] - d[2] * 4.0f;
    vfloat odd2 = (d[3] - d[1]) * 2.0f, even2 = d[4] - d[2];
    v[0] = d[0] * 4.0f - d[2] * 5.0f + d[4];
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = even2 + odd2;
    v[4] = even2 - odd2;
    v[5] = d[1] * 4.0f - d[3] * 5.0f + d[5];
}

/// Aᵀ m, for the products in a line.
INLINE void transform_output_line(const bool is_enlarging, const vfloat *m, vfloat y[TILE]) {
    vfloat sum1 = is_enlarging ? m[1] : m[1] + m[2], difference1 = is_enlarging ? m[1] : m[1] - m[2];
    vfloat sum2 = is_enlarging ? m[2] : m[3] + m[4], difference2 = is_enlarging ? m[3] : m[3] - m[4];
    y[0] = m[0] + sum1 + sum2;
    y[1] = difference1 + difference2 * 2.0f;
    y[2] = sum1 + sum2 * 4.0f;
    y[3] = difference1 + difference2 * 8.0f + m[POINTS(is_enlarging) - 1];
}

/// Transforms LANES channels of a square patch; `to` receives the results, `step` floats apart.
INLINE void transform_patch(
    const bool is_enlarging, const float *from, ptrdiff_t row_stride, ptrdiff_t column_stride, float *to, ptrdiff_t step) {
    const int side = PIXELS(is_enlarging);
    vfloat half[MOST_POINTS][MOST_POINTS];
#pragma clang loop unroll(full)
    for (int column = 0; column < side; column++) {
        vfloat d[MOST_POINTS], v[MOST_POINTS];
#pragma clang loop unroll(full)
        for (int row = 0; row < side; row++) d[row] = load(from + row * row_stride + column * column_stride);
        transform_input_line(is_enlarging, d, v);
#pragma clang loop unroll(full)
        for (int row = 0; row < side; row++) half[row][column] = v[row];
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < side; row++) {
        vfloat v[MOST_POINTS];
        transform_input_line(is_enlarging, half[row], v);
#pragma clang loop unroll(full)
        for (int column = 0; column < side; column++) store(to + (row * side + column) * step, v[column]);
    }
}

/// Copies LANES channels of a patch that reaches over the picture's edge; zeros outside.
INLINE void copy_patch(const tiling *t, const float *image, place corner, ptrdiff_t channel, int side, float *patch) {
    for (ptrdiff_t i = 0; i < side * side; i++) {
        ptrdiff_t row = corner.row + i / side, column = corner.column + i % side;
        bool is_inside = row >= 0 && row < t->h && column >= 0 && column < t->w;
        store(patch + i * LANES, is_inside ? load(image + (row * t->w + column) * t->c + channel) : splat(0));
    }
}

/// Fills row `at % TILE_ROWS` of the strips that tile `at` of the band belongs to.
INLINE void transform_tile(const bool is_enlarging, const tiling *t, place tile_place, ptrdiff_t at, float *v, ptrdiff_t step) {
    const int side = PIXELS(is_enlarging);
    place corner = tile_place;
    corner.row = (is_enlarging ? tile_place.row / 2 : tile_place.row) - 1;
    corner.column = (is_enlarging ? tile_place.column / 2 : tile_place.column) - 1;
    bool is_interior = corner.row >= 0 && corner.column >= 0 && corner.row + side <= t->h && corner.column + side <= t->w;
    const float *image = t->x + corner.image * t->h * t->w * t->c;
    float *strip = v + at / TILE_ROWS * TILE_ROWS * t->c;
    for (ptrdiff_t channel = 0; channel < t->c; channel += LANES) {
        float *to = strip + strip_index(at % TILE_ROWS, channel);
        if (is_interior) {
            const float *from = image + (corner.row * t->w + corner.column) * t->c + channel;
            transform_patch(is_enlarging, from, t->w * t->c, t->c, to, step);
        } else {
            float patch[MOST_POINTS * MOST_POINTS * LANES];
            copy_patch(t, image, corner, channel, side, patch);
            transform_patch(is_enlarging, patch, side * LANES, LANES, to, step);
        }
    }
}

static void transform_input(const tiling *t, place tile_place, ptrdiff_t at, float *v, ptrdiff_t step) {
    if (t->is_enlarging)
        transform_tile(true, t, tile_place, at, v, step);
    else
        transform_tile(false, t, tile_place, at, v, step);
}

/// y[4][4] = Aᵀ m A for LANES channels.
INLINE void transform_products(const bool is_enlarging, const float *m, ptrdiff_t step, vfloat y[TILE][TILE]) {
    const int points = POINTS(is_enlarging);
    vfloat half[TILE][MOST_POINTS];
#pragma clang loop unroll(full)
    for (int column = 0; column < points; column++) {
        vfloat products[MOST_POINTS], sums[TILE];
#pragma clang loop unroll(full)
        for (int row = 0; row < points; row++) products[row] = load(m + (row * points + column) * step);
        transform_output_line(is_enlarging, products, sums);
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++) half[row][column] = sums[row];
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < TILE; row++) transform_output_line(is_enlarging, half[row], y[row]);
}

/// Writes the part of a tile that lies in the picture.
static void transform_output(
    const tiling *t, place to, const float *m, ptrdiff_t step, ptrdiff_t columns, float *y, ptrdiff_t ldc, const float *bias,
    revq_activation activation) {
    ptrdiff_t rows_inside = t->ho - to.row < TILE ? t->ho - to.row : TILE;
    ptrdiff_t columns_inside = t->wo - to.column < TILE ? t->wo - to.column : TILE;
    float *corner = y + ((to.image * t->ho + to.row) * t->wo + to.column) * ldc;
    for (ptrdiff_t channel = 0; channel < columns; channel += LANES) {
        ptrdiff_t left = columns - channel;
        vfloat sums[TILE][TILE];
        if (t->is_enlarging)
            transform_products(true, m + channel, step, sums);
        else
            transform_products(false, m + channel, step, sums);
        vfloat offset = !bias ? splat(0) : left < LANES ? load_first(bias + channel, left) : load(bias + channel);
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++)
#pragma clang loop unroll(full)
            for (int column = 0; column < TILE; column++) {
                if (row >= rows_inside || column >= columns_inside) continue;
                float *target = corner + (row * t->wo + column) * ldc + channel;
                vfloat result = finish(sums[row][column], offset, activation);
                if (left < LANES)
                    store_first(target, result, left);
                else
                    store(target, result);
            }
    }
}

static const epilogue set_sums = {NULL, false, REVQ_IDENTITY}, add_sums = {NULL, true, REVQ_IDENTITY};

/// m[count, columns] = v · u for one point: strips of `count` tiles, and the panels of a chunk.
INLINE void multiply_point(
    ptrdiff_t count, ptrdiff_t c, const float *v, const float *weights, ptrdiff_t columns, float *m) {
    for (ptrdiff_t column = 0; column < columns; column += TILE_COLUMNS) {
        const float *panel = weights + column / PANEL * c * PANEL + column % PANEL;
        for (ptrdiff_t start = 0; start < c; start += DEPTH) {
            ptrdiff_t depth = c - start < DEPTH ? c - start : DEPTH;
            const float *b = panel + start * PANEL;
            for (ptrdiff_t first = 0; first < count; first += TILE_ROWS) {
                ptrdiff_t rows = count - first < TILE_ROWS ? count - first : TILE_ROWS;
                // Whole vectors are stored: there is room for CHUNK columns.
                tiles[rows - 1][columns - column > LANES](
                    depth, v + first * c + start * TILE_ROWS, b, b + depth * PANEL, m + first * CHUNK + column, CHUNK,
                    TILE_COLUMNS, start > 0 ? &add_sums : &set_sums);
            }
        }
    }
}

/// M = V · U for one chunk of channels; the weights are read once, front to back.
static void multiply_transformed(
    bool is_enlarging, ptrdiff_t count, ptrdiff_t c, const float *v, ptrdiff_t v_step, const float *weights, ptrdiff_t columns,
    float *m, ptrdiff_t m_step) {
    ptrdiff_t weights_step = (columns + PANEL - 1) / PANEL * c * PANEL;
    const int points = POINTS(is_enlarging), side = PIXELS(is_enlarging);
    for (int row = 0; row < points; row++)
        for (int column = 0; column < points; column++, weights += weights_step, m += m_step) {
            // When enlarging, products 2 and 3 of a line have the same transform.
            int from_row = row > 2 ? row - points + side : row, from_column = column > 2 ? column - points + side : column;
            multiply_point(count, c, v + (from_row * side + from_column) * v_step, weights, columns, m);
        }
}

/// Floats from one transform, or product, of a band to the next: one line more than needed, so that they do not all fall into the
/// same sets of the cache.
INLINE ptrdiff_t transform_step(ptrdiff_t count, ptrdiff_t c) {
    return (count + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS * c + LINE;
}

INLINE ptrdiff_t product_step(ptrdiff_t count) { return count * CHUNK + LINE; }

static ptrdiff_t winograd_scratch(bool is_enlarging, ptrdiff_t c, ptrdiff_t count) {
    return PIXELS(is_enlarging) * PIXELS(is_enlarging) * transform_step(count, c) +
           POINTS(is_enlarging) * POINTS(is_enlarging) * product_step(count);
}

static void convolve_winograd(
    bool is_enlarging, const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t first, ptrdiff_t last,
    const float *weights, ptrdiff_t n, ptrdiff_t first_column, ptrdiff_t last_column, float *y, const float *bias,
    revq_activation activation, float *scratch) {
    tiling t = {x, h, w, c, is_enlarging ? 2 * h : h, is_enlarging ? 2 * w : w, is_enlarging, 0, 0};
    t.down = (t.ho + TILE - 1) / TILE;
    t.across = (t.wo + TILE - 1) / TILE;
    ptrdiff_t count = last - first, v_step = transform_step(count, c), m_step = product_step(count);
    float *v = scratch, *m = scratch + PIXELS(is_enlarging) * PIXELS(is_enlarging) * v_step;
    for (ptrdiff_t i = 0; i < count; i++) transform_input(&t, place_of(&t, first + i), i, v, v_step);
    for (ptrdiff_t column = first_column; column < last_column; column += CHUNK) {
        ptrdiff_t columns = n - column < CHUNK ? n - column : CHUNK;
        const float *chunk = weights + column * POINTS(is_enlarging) * POINTS(is_enlarging) * c;
        multiply_transformed(is_enlarging, count, c, v, v_step, chunk, columns, m, m_step);
        for (ptrdiff_t i = 0; i < count; i++)
            transform_output(
                &t, place_of(&t, first + i), m + i * CHUNK, m_step, columns, y + column, n, bias ? bias + column : NULL,
                activation);
    }
}
