// Gradients of the normalisation over channels, row by row.

/// Σ x² and Σ x · weight · dy of one row.
INLINE void row_products(const float *x, const float *weight, const float *dy, ptrdiff_t c, float *squares, float *pull) {
    vfloat square_sums[2] = {{0}}, pull_sums[2] = {{0}};
    ptrdiff_t i = 0;
    for (; i + 2 * LANES <= c; i += 2 * LANES)
#pragma clang loop unroll(full)
        for (int v = 0; v < 2; v++) {
            vfloat value = load(x + i + v * LANES);
            square_sums[v] += value * value;
            pull_sums[v] += value * load(weight + i + v * LANES) * load(dy + i + v * LANES);
        }
    for (; i < c; i += LANES) {
        vfloat value = load_some(x + i, c - i);
        square_sums[0] += value * value;
        pull_sums[0] += value * load_some(weight + i, c - i) * load_some(dy + i, c - i);
    }
    *squares = sum(square_sums[0] + square_sums[1]);
    *pull = sum(pull_sums[0] + pull_sums[1]);
}

static void rms_norm_backward(
    const float *x, ptrdiff_t rows, ptrdiff_t c, const float *weight, float epsilon, float *dy, float *dweight, float *dbias) {
    for (ptrdiff_t row = 0; row < rows; row++, x += c, dy += c) {
        float squares, pull;
        row_products(x, weight, dy, c, &squares, &pull);
        float scale = 1.0f / __builtin_sqrtf(squares / (float)c + epsilon);
        pull *= scale * scale * scale / (float)c;
        for (ptrdiff_t i = 0; i < c; i += LANES) {
            ptrdiff_t left = c - i;
            vfloat value = load_some(x + i, left), share = load_some(dy + i, left);
            store_some(dweight + i, load_some(dweight + i, left) + share * value * splat(scale), left);
            store_some(dbias + i, load_some(dbias + i, left) + share, left);
            store_some(dy + i, share * load_some(weight + i, left) * splat(scale) - value * splat(pull), left);
        }
    }
}
