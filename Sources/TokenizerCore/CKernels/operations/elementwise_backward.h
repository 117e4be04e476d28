// Gradients of the element-wise functions, and sums over rows.

static void activate_backward(const float *x, float *dy, ptrdiff_t count, revq_activation activation) {
    for (ptrdiff_t i = 0; i < count; i += LANES) {
        ptrdiff_t left = count - i;
        store_some(dy + i, activation_gradient(load_some(x + i, left), load_some(dy + i, left), activation), left);
    }
}

/// Rows whose sum is formed in registers before it is added to the rest: as for products, more accurate than one long sum.
#define ROWS_IN_SUM 64

static void add_columns(const float *x, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t columns, float *sums) {
    for (ptrdiff_t first = 0; first < rows; first += ROWS_IN_SUM) {
        ptrdiff_t last = rows - first < ROWS_IN_SUM ? rows : first + ROWS_IN_SUM;
        for (ptrdiff_t column = 0; column < columns; column += LANES) {
            ptrdiff_t left = columns - column;
            vfloat total = splat(0);
            for (ptrdiff_t row = first; row < last; row++) total += load_some(x + row * stride + column, left);
            store_some(sums + column, load_some(sums + column, left) + total, left);
        }
    }
}

/// Σ x² in double precision; vectors of LANES lanes in fixed order.
static double sum_squares(const float *x, ptrdiff_t count) {
    vdouble sums[2] = {{0}};
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vfloat value = load(x + i);
        vhalf low, high;
        __builtin_memcpy(&low, &value, sizeof low);
        __builtin_memcpy(&high, (char *)&value + sizeof low, sizeof high);
        vdouble first = __builtin_convertvector(low, vdouble), second = __builtin_convertvector(high, vdouble);
        sums[0] += first * first;
        sums[1] += second * second;
    }
    double total = 0;
    for (int lane = 0; lane < LANES / 2; lane++) total += sums[0][lane] + sums[1][lane];
    for (; i < count; i++) total += (double)x[i] * (double)x[i];
    return total;
}
