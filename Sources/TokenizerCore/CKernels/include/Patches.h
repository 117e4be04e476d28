/// The patches that a convolution multiplies, as a matrix: for the gradients, which the direct product cannot form.
/// A picture is [h, w, c]. Nothing here starts threads.
#pragma once

/// Rows first..<last of the patch matrix [ho·wo, k·k·c] of a k×k convolution with padding k/2; ho = ⌈h/stride⌉.
void revq_gather_patches(
    const float *x, float *patches, long h, long w, long c, long k, long stride, long first, long last);
/// The transpose of revq_gather_patches: dx += every patch at its place.
void revq_scatter_patches(
    const float *patches, float *dx, long h, long w, long c, long k, long stride, long first, long last);
