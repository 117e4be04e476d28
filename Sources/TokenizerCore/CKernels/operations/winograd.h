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
// With stride 2 the outer taps of a line see the odd pixels and the middle one the even ones: F(4, 2) at the points 0, ±1, 2, ∞
// for the former, four plain products for the latter, 81 instead of 144 for a tile.
//
// A 5×5 kernel is four 3×3 ones, whose last taps are zeros where it has no more: each sees the picture moved by another two or one pixels, and
// all four are one sum over four times the channels. 36 products for each of them instead of 400.
//
// Tiles of 6×6, F(6×6, 3×3) at 0, ±1, ±2, ±1/2, ∞, were tried and are not worth it, although they need 64 products for 36 results, 21 % less
// than 36 for 16, and are accurate enough: relative errors (L2) of 5.1, 6.1, 7.1 and 4.8e-6 for 128, 256, 512 and 1024 channels of random numbers
// where tiles of 4×4 have 2.6, 3.4, 4.2 and 2.6e-6; no other points did better. But the transforms of 8×8 patches, which fit no registers, are
// 38 % of the time for 128 channels instead of 24 %, and kernels take 1.8 times the memory, which is read for every band. Of DC-AE's convolutions
// those of 128 channels at 256² became 1.02 to 1.09 times as fast on a core with AVX-512, 256 at 128² 0.96 to 1.1 times, 512 at 64² 1.02 to 1.14
// times: some 2 % of a picture's time. On AMX they became slower, 0.97, 0.84 and 0.92 times as fast. Sides of 32 and 16 are as many products.
//
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015; points 0, ±1, ±2, ∞.

#define TILE 4
/// The most that any kind has along a line.
#define MOST_POINTS 9
#define BY_KIND(kind, plain, enlarging, halving)                                                                             \
    ((kind) == REVQ_ENLARGING ? (enlarging) : (kind) == REVQ_HALVING ? (halving) : (plain))
/// Products in a line of a tile.
#define POINTS(kind) BY_KIND(kind, 6, 5, 9)
/// Pixels that a line of a tile is made from, and different transforms of them.
#define PIXELS(kind) BY_KIND(kind, 6, 4, 9)
/// Transforms of a line of weights.
#define WEIGHTS(kind) BY_KIND(kind, 6, 5, 6)
/// 3×3 kernels that a kernel is made of.
#define KERNELS(kind) ((kind) == REVQ_FIVE_BY_FIVE ? 4 : 1)
/// Channels of the result that are formed together; a multiple of PANEL.
#define CHUNK REVQ_WINOGRAD_CHUNK

/// The transform of the pixels that product `point` of a line multiplies: when enlarging, products 2 and 3 share one.
INLINE int transform_of(revq_winograd kind, int point) { return kind == REVQ_ENLARGING && point > 2 ? point - 1 : point; }

/// The transform of the weights that it multiplies: when halving, the last four share the middle tap.
INLINE int weight_of(revq_winograd kind, int point) { return kind == REVQ_HALVING && point > 5 ? 5 : point; }

/// The output tiles of all images, counted row by row.
typedef struct {
    const float *x;
    /// Extents of the input and of the output.
    ptrdiff_t h, w, c, ho, wo;
    revq_winograd kind;
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
INLINE void transform_input_line(const revq_winograd kind, const vfloat *d, vfloat *v) {
    if (kind == REVQ_ENLARGING) {
        v[0] = d[0] * 4.0f - d[1] * 5.0f + d[2];
        v[1] = d[2] - d[1] * 4.0f;
        v[2] = d[2] - d[1];
        v[3] = d[1] * 4.0f - d[2] * 5.0f + d[3];
        return;
    }
    if (kind == REVQ_HALVING) {
        vfloat outer = d[6] - d[2];
        v[0] = (d[0] - d[4]) * 2.0f + outer;
        v[1] = outer - d[2] - d[4];
        v[2] = outer + d[2] * 3.0f - d[4] * 3.0f;
        v[3] = outer;
        v[4] = (d[2] - d[6]) * 2.0f - d[4] + d[8];
#pragma clang loop unroll(full)
        for (int i = 0; i < TILE; i++) v[5 + i] = d[1 + 2 * i];
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
INLINE void transform_output_line(const revq_winograd kind, const vfloat *m, vfloat y[TILE]) {
    if (kind == REVQ_HALVING) {
        vfloat sum = m[1] + m[2], difference = m[1] - m[2];
        y[0] = m[0] + sum + m[3] + m[5];
        y[1] = difference + m[3] * 2.0f + m[6];
        y[2] = sum + m[3] * 4.0f + m[7];
        y[3] = difference + m[3] * 8.0f + m[4] + m[8];
        return;
    }
    bool is_enlarging = kind == REVQ_ENLARGING;
    vfloat sum1 = is_enlarging ? m[1] : m[1] + m[2], difference1 = is_enlarging ? m[1] : m[1] - m[2];
    vfloat sum2 = is_enlarging ? m[2] : m[3] + m[4], difference2 = is_enlarging ? m[3] : m[3] - m[4];
    y[0] = m[0] + sum1 + sum2;
    y[1] = difference1 + difference2 * 2.0f;
    y[2] = sum1 + sum2 * 4.0f;
    y[3] = difference1 + difference2 * 8.0f + m[POINTS(kind) - 1];
}

/// Bᵀ d, for LANES channels of the columns of a square patch.
INLINE void transform_columns(
    const revq_winograd kind, const float *from, ptrdiff_t row_stride, ptrdiff_t column_stride,
    vfloat half[MOST_POINTS][MOST_POINTS]) {
    const int side = PIXELS(kind);
#pragma clang loop unroll(full)
    for (int column = 0; column < side; column++) {
        vfloat d[MOST_POINTS], v[MOST_POINTS];
#pragma clang loop unroll(full)
        for (int line = 0; line < side; line++) d[line] = load(from + line * row_stride + column * column_stride);
        transform_input_line(kind, d, v);
#pragma clang loop unroll(full)
        for (int line = 0; line < side; line++) half[line][column] = v[line];
    }
}

/// Transforms STEP channels of a square patch. The results go to the same place of strips `between` floats apart.
INLINE void transform_patch(
    const revq_winograd kind, const float *from, ptrdiff_t row_stride, ptrdiff_t column_stride, float *strip, ptrdiff_t row,
    ptrdiff_t channel, ptrdiff_t between) {
    const int side = PIXELS(kind);
    vfloat half[STEP / LANES][MOST_POINTS][MOST_POINTS];
    // What comes next is far away in each strip.
    for (int i = 0; i < side * side; i++) strip_expect(strip + i * between, row, channel + STEP);
#pragma clang loop unroll(full)
    for (int i = 0; i < STEP / LANES; i++) transform_columns(kind, from + i * LANES, row_stride, column_stride, half[i]);
#pragma clang loop unroll(full)
    for (int line = 0; line < side; line++) {
        vfloat v[STEP / LANES][MOST_POINTS];
#pragma clang loop unroll(full)
        for (int i = 0; i < STEP / LANES; i++) transform_input_line(kind, half[i][line], v[i]);
#pragma clang loop unroll(full)
        for (int column = 0; column < side; column++) {
            step s;
#pragma clang loop unroll(full)
            for (int i = 0; i < STEP / LANES; i++) s.at[i] = v[i][column];
            strip_store(strip + (line * side + column) * between, row, channel, s);
        }
    }
}

/// Copies STEP channels of a patch that reaches over the picture's edge, or beyond the last channel; zeros outside.
INLINE void copy_patch(const tiling *t, const float *image, place corner, ptrdiff_t channel, int side, float *patch) {
    for (ptrdiff_t i = 0; i < side * side; i++) {
        ptrdiff_t row = corner.row + i / side, column = corner.column + i % side;
        bool is_inside = row >= 0 && row < t->h && column >= 0 && column < t->w;
        const float *from = image + (row * t->w + column) * t->c + channel;
#pragma clang loop unroll(full)
        for (ptrdiff_t v = 0; v < STEP; v += LANES)
            store(patch + i * STEP + v, is_inside && channel + v < t->c ? load(from + v) : splat(0));
    }
}

/// Fills columns `column`… of row `at % TILE_ROWS` of the strips that tile `at` of the band belongs to, with the transforms of the pixels from
/// `corner` on.
INLINE void transform_pixels(
    const revq_winograd kind, const tiling *t, place corner, ptrdiff_t at, ptrdiff_t column, float *v, ptrdiff_t between) {
    const int side = PIXELS(kind);
    bool is_interior = corner.row >= 0 && corner.column >= 0 && corner.row + side <= t->h && corner.column + side <= t->w;
    const float *image = t->x + corner.image * t->h * t->w * t->c;
    float *strip = v + at / TILE_ROWS * strip_floats(KERNELS(kind) * t->c);
    for (ptrdiff_t channel = 0; channel < t->c; channel += STEP) {
        if (is_interior && channel + STEP <= t->c) {
            const float *from = image + (corner.row * t->w + corner.column) * t->c + channel;
            transform_patch(kind, from, t->w * t->c, t->c, strip, at % TILE_ROWS, column + channel, between);
        } else {
            float patch[MOST_POINTS * MOST_POINTS * STEP];
            copy_patch(t, image, corner, channel, side, patch);
            transform_patch(kind, patch, side * STEP, STEP, strip, at % TILE_ROWS, column + channel, between);
        }
    }
}

INLINE void transform_tile(const revq_winograd kind, const tiling *t, place tile_place, ptrdiff_t at, float *v, ptrdiff_t between) {
    for (int part = 0; part < KERNELS(kind); part++) {
        place corner = tile_place;
        corner.row = BY_KIND(kind, tile_place.row, tile_place.row / 2, tile_place.row * 2) - 1;
        corner.column = BY_KIND(kind, tile_place.column, tile_place.column / 2, tile_place.column * 2) - 1;
        if (kind == REVQ_FIVE_BY_FIVE) {
            corner.row += part / 2 ? 2 : -1;
            corner.column += part % 2 ? 2 : -1;
        }
        transform_pixels(kind, t, corner, at, part * t->c, v, between);
    }
}

static void transform_input(const tiling *t, place tile_place, ptrdiff_t at, float *v, ptrdiff_t between) {
    switch (t->kind) {
    case REVQ_PLAIN_PICTURE: transform_tile(REVQ_PLAIN_PICTURE, t, tile_place, at, v, between); break;
    case REVQ_ENLARGING: transform_tile(REVQ_ENLARGING, t, tile_place, at, v, between); break;
    case REVQ_HALVING: transform_tile(REVQ_HALVING, t, tile_place, at, v, between); break;
    case REVQ_FIVE_BY_FIVE: transform_tile(REVQ_FIVE_BY_FIVE, t, tile_place, at, v, between); break;
    }
}

/// y[4][4] = Aᵀ m A for LANES channels.
INLINE void transform_products(const revq_winograd kind, const float *m, ptrdiff_t between, vfloat y[TILE][TILE]) {
    const int points = POINTS(kind);
    vfloat half[TILE][MOST_POINTS];
#pragma clang loop unroll(full)
    for (int column = 0; column < points; column++) {
        vfloat products[MOST_POINTS], sums[TILE];
#pragma clang loop unroll(full)
        for (int row = 0; row < points; row++) products[row] = load(m + (row * points + column) * between);
        transform_output_line(kind, products, sums);
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++) half[row][column] = sums[row];
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < TILE; row++) transform_output_line(kind, half[row], y[row]);
}

/// Writes the part of a tile that lies in the picture.
static void transform_output(
    const tiling *t, place to, const float *m, ptrdiff_t between, ptrdiff_t columns, float *y, ptrdiff_t ldc, const float *bias,
    revq_activation activation) {
    ptrdiff_t rows_inside = t->ho - to.row < TILE ? t->ho - to.row : TILE;
    ptrdiff_t columns_inside = t->wo - to.column < TILE ? t->wo - to.column : TILE;
    float *corner = y + ((to.image * t->ho + to.row) * t->wo + to.column) * ldc;
    for (ptrdiff_t channel = 0; channel < columns; channel += LANES) {
        ptrdiff_t left = columns - channel;
        vfloat sums[TILE][TILE];
        switch (t->kind) {
        case REVQ_PLAIN_PICTURE:
        case REVQ_FIVE_BY_FIVE: transform_products(REVQ_PLAIN_PICTURE, m + channel, between, sums); break;
        case REVQ_ENLARGING: transform_products(REVQ_ENLARGING, m + channel, between, sums); break;
        case REVQ_HALVING: transform_products(REVQ_HALVING, m + channel, between, sums); break;
        }
        vfloat offset = bias ? load_some(bias + channel, left) : splat(0);
#pragma clang loop unroll(full)
        for (int row = 0; row < TILE; row++)
#pragma clang loop unroll(full)
            for (int column = 0; column < TILE; column++) {
                if (row >= rows_inside || column >= columns_inside) continue;
                store_some(
                    corner + (row * t->wo + column) * ldc + channel, finish(sums[row][column], offset, activation), left);
            }
    }
}

/// M = V · U for one chunk of channels, sums of c numbers. Whole vectors are stored: there is room for CHUNK columns.
static void multiply_transformed(
    revq_winograd kind, ptrdiff_t count, ptrdiff_t c, const float *v, ptrdiff_t v_step, const float *weights, ptrdiff_t columns,
    float *m, ptrdiff_t m_step) {
    const ptrdiff_t points = POINTS(kind), strip = strip_floats(c), weights_step = (columns + PANEL - 1) / PANEL * c * PANEL;
    product_shape shape = {0, (columns + LANES - 1) / LANES * LANES, 0, strip, c * PANEL, CHUNK, set_sums};
    for (ptrdiff_t start = 0; start < c; start += DEPTH, shape.end = add_sums) {
        shape.depth = c - start < DEPTH ? c - start : DEPTH;
        for (ptrdiff_t first = 0; first < count; first += BLOCK_ROWS) {
            shape.rows = count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
            product products[MOST_POINTS * MOST_POINTS];
            for (int point = 0; point < points * points; point++) {
                int row = point / (int)points, column = point % (int)points;
                int transform = transform_of(kind, row) * PIXELS(kind) + transform_of(kind, column);
                int weight = weight_of(kind, row) * WEIGHTS(kind) + weight_of(kind, column);
                products[point] = (product){
                    v + transform * v_step + first / TILE_ROWS * strip + start * STRIP_WIDTH,
                    weights + weight * weights_step + start * PANEL, m + point * m_step + first * CHUNK};
            }
            multiply_strips(&shape, products, points * points);
        }
    }
}

/// Floats from one transform, or product, of a band to the next: one line more than needed, so that they do not all fall into the
/// same sets of the cache.
INLINE ptrdiff_t transform_step(ptrdiff_t count, ptrdiff_t c) {
    return (count + TILE_ROWS - 1) / TILE_ROWS * strip_floats(c) + LINE;
}

INLINE ptrdiff_t product_step(ptrdiff_t count) { return count * CHUNK + LINE; }

static ptrdiff_t winograd_scratch(revq_winograd kind, ptrdiff_t c, ptrdiff_t count) {
    return PIXELS(kind) * PIXELS(kind) * transform_step(count, KERNELS(kind) * c) +
           POINTS(kind) * POINTS(kind) * product_step(count);
}

static void convolve_winograd(
    revq_winograd kind, const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t first, ptrdiff_t last,
    const float *weights, ptrdiff_t n, ptrdiff_t first_column, ptrdiff_t last_column, float *y, const float *bias,
    revq_activation activation, float *scratch) {
    tiling t = {x, h, w, c, BY_KIND(kind, h, 2 * h, (h + 1) / 2), BY_KIND(kind, w, 2 * w, (w + 1) / 2), kind, 0, 0};
    t.down = (t.ho + TILE - 1) / TILE;
    t.across = (t.wo + TILE - 1) / TILE;
    ptrdiff_t count = last - first, depth = KERNELS(kind) * c, v_step = transform_step(count, depth), m_step = product_step(count);
    float *v = scratch, *m = scratch + PIXELS(kind) * PIXELS(kind) * v_step;
    for (ptrdiff_t i = 0; i < count; i++) transform_input(&t, place_of(&t, first + i), i, v, v_step);
    for (ptrdiff_t column = first_column; column < last_column; column += CHUNK) {
        ptrdiff_t columns = n - column < CHUNK ? n - column : CHUNK;
        const float *chunk = weights + column * WEIGHTS(kind) * WEIGHTS(kind) * depth;
        multiply_transformed(kind, count, depth, v, v_step, chunk, columns, m, m_step);
        for (ptrdiff_t i = 0; i < count; i++)
            transform_output(
                &t, place_of(&t, first + i), m + i * CHUNK, m_step, columns, y + column, n, bias ? bias + column : NULL,
                activation);
    }
}
