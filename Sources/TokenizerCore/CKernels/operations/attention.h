// DC-AE's attention: similarity is relu(q) · relu(k), so keys and values are summed up once for all queries.
//
// Rows of queries, keys and values are copied first, filled up with zeros to `width`, d rounded up to whole vectors: products of copies
// need no case for a last vector, and ReLU is applied once.

/// Positions whose sums are formed in registers before they are added to the rest: as for products, more accurate than one long sum.
#define POSITIONS_TOGETHER 256
#define ROWS_TOGETHER 4
#define VECTORS_TOGETHER 2

/// A small left factor: element (i, k) is at[i · row_step + k · step].
typedef struct {
    const float *at;
    ptrdiff_t row_step, step;
} small_factor;

/// out = (out +) x · m for ROWS_TOGETHER rows of x (or the first `rows`) and `vectors` vectors of columns.
INLINE void multiply_small_tile(
    const int vectors, small_factor x, const float *m, ptrdiff_t rows, ptrdiff_t depth, ptrdiff_t width, bool is_added, float *out) {
    vfloat sums[ROWS_TOGETHER][VECTORS_TOGETHER] = {{{0}}};
    if (rows == ROWS_TOGETHER)
        for (ptrdiff_t k = 0; k < depth; k++)
#pragma clang loop unroll(full)
            for (int i = 0; i < ROWS_TOGETHER; i++)
#pragma clang loop unroll(full)
                for (int v = 0; v < vectors; v++)
                    sums[i][v] += splat(x.at[i * x.row_step + k * x.step]) * load(m + k * width + v * LANES);
    else
        for (ptrdiff_t k = 0; k < depth; k++)
            for (ptrdiff_t i = 0; i < rows; i++)
                for (int v = 0; v < vectors; v++)
                    sums[i][v] += splat(x.at[i * x.row_step + k * x.step]) * load(m + k * width + v * LANES);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) {
            float *to = out + i * width + v * LANES;
            store(to, is_added ? load(to) + sums[i][v] : sums[i][v]);
        }
}

/// out[rows][width] = (out +) x[rows][depth] · m[depth][width].
INLINE void multiply_small(small_factor x, const float *m, ptrdiff_t rows, ptrdiff_t depth, ptrdiff_t width, bool is_added, float *out) {
    for (ptrdiff_t row = 0; row < rows; row += ROWS_TOGETHER) {
        ptrdiff_t together = rows - row < ROWS_TOGETHER ? rows - row : ROWS_TOGETHER, column = 0;
        small_factor here = {x.at + row * x.row_step, x.row_step, x.step};
        for (; column + VECTORS_TOGETHER * LANES <= width; column += VECTORS_TOGETHER * LANES)
            multiply_small_tile(VECTORS_TOGETHER, here, m + column, together, depth, width, is_added, out + row * width + column);
        for (; column < width; column += LANES)
            multiply_small_tile(1, here, m + column, together, depth, width, is_added, out + row * width + column);
    }
}

/// Rows of a copy as a left factor, and the same transposed.
INLINE small_factor rows_of(const float *copy, ptrdiff_t width) { return (small_factor){copy, width, 1}; }
INLINE small_factor columns_of(const float *copy, ptrdiff_t width) { return (small_factor){copy, 1, width}; }

/// d rounded up to whole vectors.
INLINE ptrdiff_t whole_vectors(ptrdiff_t d) { return (d + LANES - 1) / LANES * LANES; }

/// Copies rows of d numbers, after ReLU where asked, filled up with zeros.
INLINE void gather_rows(const float *from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t d, const bool is_rectified, float *to) {
    ptrdiff_t width = whole_vectors(d);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t column = 0; column < width; column += LANES) {
            vfloat values = load_some(from + i * stride + column, d - column);
            store(to + i * width + column, is_rectified ? maximum(values, splat(0)) : values);
        }
}

/// sums[width] = (sums +) Σ_i weights[i] · x[i][width]; null weights stand for ones.
INLINE void add_weighted_rows(const float *x, const float *weights, ptrdiff_t rows, ptrdiff_t width, bool is_added, float *sums) {
    for (ptrdiff_t column = 0; column < width; column += LANES) {
        vfloat total = splat(0);
        for (ptrdiff_t i = 0; i < rows; i++) total += load(x + i * width + column) * splat(weights ? weights[i] : 1);
        store(sums + column, is_added ? load(sums + column) + total : total);
    }
}

INLINE float dot(const float *a, const float *b, ptrdiff_t width) {
    vfloat total = splat(0);
    for (ptrdiff_t column = 0; column < width; column += LANES) total += load(a + column) * load(b + column);
    return sum(total);
}

INLINE ptrdiff_t positions_in_part(ptrdiff_t positions, ptrdiff_t first) {
    return positions - first < POSITIONS_TOGETHER ? positions - first : POSITIONS_TOGETHER;
}

static ptrdiff_t attend_scratch(ptrdiff_t positions, ptrdiff_t d) {
    ptrdiff_t width = whole_vectors(d);
    return 2 * positions_in_part(positions, 0) * width + d * width + width;
}

static void attend(
    const float *qkv, ptrdiff_t positions, ptrdiff_t stride, ptrdiff_t d, float epsilon, float *y, ptrdiff_t y_stride, float *scratch) {
    ptrdiff_t width = whole_vectors(d), size = positions_in_part(positions, 0) * width;
    float *rows = scratch, *values = rows + size, *memory = values + size, *key_sum = memory + d * width;
    for (ptrdiff_t first = 0; first < positions; first += POSITIONS_TOGETHER) {
        ptrdiff_t count = positions_in_part(positions, first);
        gather_rows(qkv + first * stride + d, stride, count, d, true, rows);
        gather_rows(qkv + first * stride + 2 * d, stride, count, d, false, values);
        multiply_small(columns_of(rows, width), values, d, count, width, first > 0, memory);
        add_weighted_rows(rows, NULL, count, width, first > 0, key_sum);
    }
    for (ptrdiff_t first = 0; first < positions; first += POSITIONS_TOGETHER) {
        ptrdiff_t count = positions_in_part(positions, first);
        gather_rows(qkv + first * stride, stride, count, d, true, rows);
        multiply_small(rows_of(rows, width), memory, count, d, width, false, values);
        for (ptrdiff_t i = 0; i < count; i++) {
            float share = 1.0f / (dot(rows + i * width, key_sum, width) + epsilon);
            for (ptrdiff_t column = 0; column < d; column += LANES)
                store_some(y + (first + i) * y_stride + column, load(values + i * width + column) * splat(share), d - column);
        }
    }
}
