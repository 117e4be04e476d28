// Gradients of DC-AE's attention, one head at a time. With q and k after ReLU, M = Σ k vᵀ and s = Σ k over all positions,
// t = q·s + ε and o = (q M) / t:
//
//     a = dy / t,  u = -(a · o),  dM = Σ q aᵀ,  ds = Σ u q,
//     dq = M a + u s,  dk = dM v + ds,  dv = dMᵀ k,  and dq, dk are zero where ReLU was.

#define ROWS_TOGETHER 8

/// out[i][0..d] = Σ_j x[i][j] · m[j][0..d] for `rows` rows. `width` is d rounded up to whole vectors: rows of m, x and out are as
/// long, their ends zero.
INLINE void rows_times_matrix(const float *x, const float *m, ptrdiff_t rows, ptrdiff_t d, ptrdiff_t width, float *out) {
    for (ptrdiff_t row = 0; row < rows; row += ROWS_TOGETHER) {
        int together = rows - row < ROWS_TOGETHER ? (int)(rows - row) : ROWS_TOGETHER;
        for (ptrdiff_t column = 0; column < width; column += LANES) {
            vfloat sums[ROWS_TOGETHER] = {{0}};
            const float *in = x + row * width;
            if (together == ROWS_TOGETHER)
                for (ptrdiff_t j = 0; j < d; j++) {
                    vfloat values = load(m + j * width + column);
#pragma clang loop unroll(full)
                    for (int i = 0; i < ROWS_TOGETHER; i++) sums[i] += splat(in[i * width + j]) * values;
                }
            else
                for (ptrdiff_t j = 0; j < d; j++)
                    for (int i = 0; i < together; i++) sums[i] += splat(in[i * width + j]) * load(m + j * width + column);
            for (int i = 0; i < together; i++) store(out + (row + i) * width + column, sums[i]);
        }
    }
}

/// m[j][0..d] = Σ_i a[i][j] · b[i][0..d]; the same rows of `width` floats.
INLINE void transposed_product(const float *a, const float *b, ptrdiff_t rows, ptrdiff_t d, ptrdiff_t width, float *m) {
    for (ptrdiff_t row = 0; row < d; row += ROWS_TOGETHER) {
        int together = d - row < ROWS_TOGETHER ? (int)(d - row) : ROWS_TOGETHER;
        for (ptrdiff_t column = 0; column < width; column += LANES) {
            vfloat sums[ROWS_TOGETHER] = {{0}};
            if (together == ROWS_TOGETHER)
                for (ptrdiff_t i = 0; i < rows; i++) {
                    vfloat values = load(b + i * width + column);
#pragma clang loop unroll(full)
                    for (int j = 0; j < ROWS_TOGETHER; j++) sums[j] += splat(a[i * width + row + j]) * values;
                }
            else
                for (ptrdiff_t i = 0; i < rows; i++)
                    for (int j = 0; j < together; j++) sums[j] += splat(a[i * width + row + j]) * load(b + i * width + column);
            for (int j = 0; j < together; j++) store(m + (row + j) * width + column, sums[j]);
        }
    }
}

INLINE void transpose(const float *m, ptrdiff_t d, ptrdiff_t width, float *out) {
    for (ptrdiff_t i = 0; i < d; i++) {
        for (ptrdiff_t j = 0; j < d; j++) out[i * width + j] = m[j * width + i];
        for (ptrdiff_t j = d; j < width; j++) out[i * width + j] = 0;
    }
}

/// Copies rows of d numbers, after ReLU where asked, filled up with zeros.
INLINE void gather_rows(const float *from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t d, ptrdiff_t width, bool is_rectified, float *to) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t column = 0; column < width; column += LANES) {
            vfloat values = load_some(from + i * stride + column, d - column);
            store(to + i * width + column, is_rectified ? maximum(values, splat(0)) : values);
        }
}

/// sums[0..d] = Σ_i weights[i] · x[i][0..d]; null weights stand for ones.
INLINE void weighted_sum(const float *x, const float *weights, ptrdiff_t rows, ptrdiff_t width, float *sums) {
    for (ptrdiff_t column = 0; column < width; column += LANES) {
        vfloat total = splat(0);
        for (ptrdiff_t i = 0; i < rows; i++) total += load(x + i * width + column) * splat(weights ? weights[i] : 1);
        store(sums + column, total);
    }
}

INLINE float dot(const float *a, const float *b, ptrdiff_t width) {
    vfloat total = splat(0);
    for (ptrdiff_t column = 0; column < width; column += LANES) total += load(a + column) * load(b + column);
    return sum(total);
}

/// to = where x > 0: values + factor · direction, else 0.
INLINE void scatter_masked(
    const float *x, const float *values, const float *direction, float factor, ptrdiff_t d, ptrdiff_t width, float *to) {
    for (ptrdiff_t column = 0; column < width; column += LANES) {
        vfloat result = load(values + column) + splat(factor) * load(direction + column);
        store_some(to + column, activation_gradient(load(x + column), result, REVQ_RELU), d - column);
    }
}

static ptrdiff_t attend_backward_scratch(ptrdiff_t positions, ptrdiff_t d) {
    ptrdiff_t width = (d + LANES - 1) / LANES * LANES;
    return 5 * positions * width + positions + 2 * d * width + 2 * width;
}

static void attend_backward(
    const float *qkv, ptrdiff_t positions, ptrdiff_t stride, ptrdiff_t d, float epsilon, const float *dy, ptrdiff_t dy_stride,
    float *dqkv, float *scratch) {
    ptrdiff_t width = (d + LANES - 1) / LANES * LANES, size = positions * width;
    float *q = scratch, *k = q + size, *v = k + size, *a = v + size, *rows = a + size, *u = rows + size;
    float *m = u + positions, *turned = m + d * width, *key_sum = turned + d * width, *dkey_sum = key_sum + width;
    gather_rows(qkv, stride, positions, d, width, true, q);
    gather_rows(qkv + d, stride, positions, d, width, true, k);
    gather_rows(qkv + 2 * d, stride, positions, d, width, false, v);
    gather_rows(dy, dy_stride, positions, d, width, false, a);
    transposed_product(k, v, positions, d, width, m);
    weighted_sum(k, NULL, positions, width, key_sum);
    rows_times_matrix(q, m, positions, d, width, rows);
    for (ptrdiff_t i = 0; i < positions; i++) {
        float share = 1.0f / (dot(q + i * width, key_sum, width) + epsilon);
        for (ptrdiff_t column = 0; column < width; column += LANES)
            store(a + i * width + column, load(a + i * width + column) * splat(share));
        u[i] = -dot(a + i * width, rows + i * width, width) * share;
    }
    transpose(m, d, width, turned);
    rows_times_matrix(a, turned, positions, d, width, rows);
    for (ptrdiff_t i = 0; i < positions; i++)
        scatter_masked(q + i * width, rows + i * width, key_sum, u[i], d, width, dqkv + i * stride);
    transposed_product(q, a, positions, d, width, m);
    weighted_sum(q, u, positions, width, dkey_sum);
    rows_times_matrix(k, m, positions, d, width, rows);
    for (ptrdiff_t i = 0; i < positions; i++)
        for (ptrdiff_t column = 0; column < width; column += LANES)
            store_some(dqkv + i * stride + 2 * d + column, load(rows + i * width + column), d - column);
    transpose(m, d, width, turned);
    rows_times_matrix(v, turned, positions, d, width, rows);
    for (ptrdiff_t i = 0; i < positions; i++)
        scatter_masked(k + i * width, rows + i * width, dkey_sum, 1, d, width, dqkv + i * stride + d);
}
