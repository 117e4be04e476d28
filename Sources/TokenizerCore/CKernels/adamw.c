#include "LayerKernels.h"

#include <math.h>

void revq_adamw(
    float *parameter, const float *gradient, float *first, float *second, long count, float beta1, float beta2, float epsilon,
    float step_size, float second_correction, float shrink, float gradient_scale) {
    for (long i = 0; i < count; i++) {
        float g = gradient[i] * gradient_scale;
        first[i] = beta1 * first[i] + (1 - beta1) * g;
        second[i] = beta2 * second[i] + (1 - beta2) * g * g;
        parameter[i] = parameter[i] * shrink - step_size * first[i] / (sqrtf(second[i]) * second_correction + epsilon);
    }
}
