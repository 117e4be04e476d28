#include "LayerKernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/// eˣ to about 1 ulp, in a form that vectorises: x = n·ln 2 + r, eʳ by a polynomial, 2ⁿ through the exponent bits.
static inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    const float shifter = 12582912.0f; // 1.5 · 2²³: adding it rounds to the nearest integer
    float shifted = x * 1.44269504f + shifter;
    float n = shifted - shifter;
    float r = x - n * 0.693145752f;
    r = r - n * 1.42860677e-6f;
    float p = 1.98756912e-4f;
    p = p * r + 1.39819994e-3f;
    p = p * r + 8.33345205e-3f;
    p = p * r + 4.16657962e-2f;
    p = p * r + 1.66666657e-1f;
    p = p * r + 5.0e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits - 0x4b400000 + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

static inline float sum_of_squares(const float *x, long count) {
#pragma clang fp reassociate(on)
    float sum = 0;
    for (long i = 0; i < count; i++) sum += x[i] * x[i];
    return sum;
}

static inline float weighted_dot(const float *x, const float *weight, const float *dy, long c) {
#pragma clang fp reassociate(on)
    float sum = 0;
    for (long i = 0; i < c; i++) sum += x[i] * weight[i] * dy[i];
    return sum;
}

void revq_rms_norm_backward(
    const float *x, const float *weight, const float *dy, float *dx, float *dweight, float *dbias, long rows, long c, float eps) {
    for (long row = 0; row < rows; row++, x += c, dy += c, dx += c) {
        float scale = 1.0f / sqrtf(sum_of_squares(x, c) / (float)c + eps);
        float pull = weighted_dot(x, weight, dy, c) * scale * scale * scale / (float)c;
        for (long i = 0; i < c; i++) dweight[i] += dy[i] * x[i] * scale;
        if (dbias)
            for (long i = 0; i < c; i++) dbias[i] += dy[i];
        for (long i = 0; i < c; i++) dx[i] = dy[i] * weight[i] * scale - x[i] * pull;
    }
}

void revq_column_sums(const float *x, float *sum, long rows, long c) {
    for (long row = 0; row < rows; row++, x += c)
        for (long i = 0; i < c; i++) sum[i] += x[i];
}

void revq_silu_backward(const float *x, const float *dy, float *dx, long count) {
    for (long i = 0; i < count; i++) {
        float s = sigmoid(x[i]);
        dx[i] = dy[i] * s * (1.0f + x[i] * (1.0f - s));
    }
}

void revq_relu_backward(const float *x, const float *dy, float *dx, long count) {
    for (long i = 0; i < count; i++) dx[i] = x[i] > 0 ? dy[i] : 0;
}

void revq_gated_silu_backward(const float *x, const float *dy, float *dx, long rows, long c) {
    for (long row = 0; row < rows; row++, x += 2 * c, dx += 2 * c, dy += c) {
        const float *gate = x + c;
        for (long i = 0; i < c; i++) {
            float s = sigmoid(gate[i]);
            dx[i] = dy[i] * gate[i] * s;
            dx[c + i] = dy[i] * x[i] * s * (1.0f + gate[i] * (1.0f - s));
        }
    }
}

/// The taps of one axis that fall inside the picture, for output position `at` of an axis of `extent`.
typedef struct { long first, last; } taps;

static inline taps taps_inside(long at, long extent, long k) {
    long reach = k / 2;
    taps range = {at < reach ? reach - at : 0, at + reach >= extent ? extent + reach - at : k};
    return range;
}

void revq_depthwise_backward_weight(const float *x, const float *dy, float *dweight, long h, long w, long c, long k) {
    long reach = k / 2;
    for (long row = 0; row < h; row++) {
        taps down = taps_inside(row, h, k);
        for (long column = 0; column < w; column++) {
            taps across = taps_inside(column, w, k);
            const float *out = dy + (row * w + column) * c;
            for (long ty = down.first; ty < down.last; ty++)
                for (long tx = across.first; tx < across.last; tx++) {
                    const float *in = x + ((row + ty - reach) * w + column + tx - reach) * c;
                    float *tap = dweight + (ty * k + tx) * c;
                    for (long i = 0; i < c; i++) tap[i] += in[i] * out[i];
                }
        }
    }
}

void revq_gather_patches(
    const float *x, float *patches, long h, long w, long c, long k, long stride, long first, long last) {
    long reach = k / 2, wo = (w + stride - 1) / stride;
    for (long position = first; position < last; position++) {
        long top = position / wo * stride - reach, left = position % wo * stride - reach;
        for (long dy = 0; dy < k; dy++)
            for (long dx = 0; dx < k; dx++, patches += c) {
                long row = top + dy, column = left + dx;
                if (row >= 0 && row < h && column >= 0 && column < w)
                    memcpy(patches, x + (row * w + column) * c, (size_t)c * sizeof *x);
                else
                    memset(patches, 0, (size_t)c * sizeof *x);
            }
    }
}

void revq_scatter_patches(
    const float *patches, float *dx, long h, long w, long c, long k, long stride, long first, long last) {
    long reach = k / 2, wo = (w + stride - 1) / stride;
    for (long position = first; position < last; position++) {
        long top = position / wo * stride - reach, left = position % wo * stride - reach;
        for (long ty = 0; ty < k; ty++)
            for (long tx = 0; tx < k; tx++, patches += c) {
                long row = top + ty, column = left + tx;
                if (row < 0 || row >= h || column < 0 || column >= w) continue;
                float *target = dx + (row * w + column) * c;
                for (long i = 0; i < c; i++) target[i] += patches[i];
            }
    }
}
