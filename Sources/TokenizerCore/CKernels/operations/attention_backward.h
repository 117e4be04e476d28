// Gradients of DC-AE's attention, one head at a time. With q and k after ReLU, M = Σ k vᵀ and s = Σ k over all positions,
// t = q·s + ε and o = (q M) / t:
//
//     a = dy / t,  u = -(a · o),  dM = Σ q aᵀ,  ds = Σ u q,
//     dq = M a + u s,  dk = dM v + ds,  dv = dMᵀ k,  and dq, dk are zero where ReLU was.

INLINE void transpose(const float *m, ptrdiff_t d, ptrdiff_t width, float *out) {
    for (ptrdiff_t i = 0; i < d; i++) {
        for (ptrdiff_t j = 0; j < d; j++) out[i * width + j] = m[j * width + i];
        for (ptrdiff_t j = d; j < width; j++) out[i * width + j] = 0;
    }
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
    ptrdiff_t width = whole_vectors(d);
    return 5 * positions * width + positions + 2 * d * width + 2 * width;
}

static void attend_backward(
    const float *qkv, ptrdiff_t positions, ptrdiff_t stride, ptrdiff_t d, float epsilon, const float *dy, ptrdiff_t dy_stride,
    float *dqkv, float *scratch) {
    ptrdiff_t width = whole_vectors(d), size = positions * width;
    float *q = scratch, *k = q + size, *v = k + size, *a = v + size, *rows = a + size, *m = rows + size, *turned = m + d * width;
    float *key_sum = turned + d * width, *dkey_sum = key_sum + width, *u = dkey_sum + width;
    gather_rows(qkv, stride, positions, d, true, q);
    gather_rows(qkv + d, stride, positions, d, true, k);
    gather_rows(qkv + 2 * d, stride, positions, d, false, v);
    gather_rows(dy, dy_stride, positions, d, false, a);
    multiply_small(columns_of(k, width), v, d, positions, width, false, m);
    add_weighted_rows(k, NULL, positions, width, false, key_sum);
    multiply_small(rows_of(q, width), m, positions, d, width, false, rows);
    for (ptrdiff_t i = 0; i < positions; i++) {
        float share = 1.0f / (dot(q + i * width, key_sum, width) + epsilon);
        for (ptrdiff_t column = 0; column < width; column += LANES)
            store(a + i * width + column, load(a + i * width + column) * splat(share));
        u[i] = -dot(a + i * width, rows + i * width, width) * share;
    }
    transpose(m, d, width, turned);
    multiply_small(rows_of(a, width), turned, positions, d, width, false, rows);
    for (ptrdiff_t i = 0; i < positions; i++)
        scatter_masked(q + i * width, rows + i * width, key_sum, u[i], d, width, dqkv + i * stride);
    multiply_small(columns_of(q, width), a, d, positions, width, false, m);
    add_weighted_rows(q, u, positions, width, false, dkey_sum);
    multiply_small(rows_of(k, width), m, positions, d, width, false, rows);
    for (ptrdiff_t i = 0; i < positions; i++)
        for (ptrdiff_t column = 0; column < d; column += LANES)
            store_some(dqkv + i * stride + 2 * d + column, load(rows + i * width + column), d - column);
    transpose(m, d, width, turned);
    multiply_small(rows_of(v, width), turned, positions, d, width, false, rows);
    for (ptrdiff_t i = 0; i < positions; i++)
        scatter_masked(k + i * width, rows + i * width, dkey_sum, 1, d, width, dqkv + i * stride + d);
}
