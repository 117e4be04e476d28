// Sums over the vectors that share a nearest code, in double precision.

typedef double four_doubles __attribute__((vector_size(32)));
typedef double four_doubles_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef float four_floats_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

static void add_to_cells(
    const float *vectors, const int32_t *found, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, double weight,
    double *totals) {
    for (ptrdiff_t i = 0; i < count; i++) {
        const float *x = vectors + i * stride * d, *code = codebook + found[i * stride] * d;
        double *total = totals + found[i * stride] * (d + 3), *sums = total + 3;
        four_doubles errors = {0};
        ptrdiff_t j = 0;
        for (; j + 4 <= d; j += 4) {
            four_doubles value = __builtin_convertvector(*(const four_floats_unaligned *)(x + j), four_doubles);
            four_doubles difference = value - __builtin_convertvector(*(const four_floats_unaligned *)(code + j), four_doubles);
            errors += difference * difference;
            *(four_doubles_unaligned *)(sums + j) += weight * value;
        }
        double error = (errors[0] + errors[1]) + (errors[2] + errors[3]);
        for (; j < d; j++) {
            double difference = (double)x[j] - (double)code[j];
            error += difference * difference;
            sums[j] += weight * (double)x[j];
        }
        total[0] += 1;
        total[1] += weight;
        total[2] += weight * error;
    }
}
