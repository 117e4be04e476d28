// Normalisation over channels, row by row, with what follows it: an activation or the block's shortcut. A row stays in the
// first-level cache between its two passes.

/// Σ x², in four sums of LANES lanes each.
INLINE float sum_of_squares(const float *x, ptrdiff_t count) {
    vfloat sums[4] = {{0}};
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
#pragma clang loop unroll(full)
        for (int v = 0; v < 4; v++) {
            vfloat value = load(x + i + v * LANES);
            sums[v] = value * value + sums[v];
        }
    for (; i < count; i += LANES) {
        vfloat value = load_some(x + i, count - i);
        sums[0] = value * value + sums[0];
    }
    return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// y = activation(x · scale · weight + bias) + residual for one row; a null residual stands for zeros.
INLINE void scale_row(
    const float *x, float scale, const float *weight, const float *bias, revq_activation activation, const float *residual, float *y,
    ptrdiff_t c) {
    for (ptrdiff_t i = 0; i < c; i += LANES) {
        ptrdiff_t left = c - i;
        vfloat value = load_some(x + i, left) * splat(scale) * load_some(weight + i, left);
        value = finish(value, load_some(bias + i, left), activation);
        if (residual) value += load_some(residual + i, left);
        store_some(y + i, value, left);
    }
}

static void rms_norm(
    const float *x, ptrdiff_t rows, ptrdiff_t c, const float *weight, const float *bias, float epsilon, revq_activation activation,
    const float *residual, float *y) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        ptrdiff_t at = row * c;
        float scale = 1.0f / __builtin_sqrtf(sum_of_squares(x + at, c) / (float)c + epsilon);
        scale_row(x + at, scale, weight, bias, activation, residual ? residual + at : NULL, y + at, c);
    }
}

static void scale_shift(
    const float *x, ptrdiff_t rows, ptrdiff_t c, const float *scale, const float *shift, revq_activation activation,
    const float *residual, float *y) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        ptrdiff_t at = row * c;
        scale_row(x + at, 1, scale, shift, activation, residual ? residual + at : NULL, y + at, c);
    }
}
