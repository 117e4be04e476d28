#include "Patches.h"

#include <string.h>

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
