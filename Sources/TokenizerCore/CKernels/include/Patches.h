/// The patches that a convolution multiplies, as a matrix: for the gradients, which the direct product cannot form.
/// A picture is [h, w, c]. Nothing here starts threads.
#pragma once

/// Rows first..<last of the patch matrix [ho·wo, k·k·c] of a k×k convolution with padding k/2; ho = ⌈h/stride⌉.
void revq_gather_patches(
    const float *x, float *patches, long h, long w, long c, long k, long stride, long first, long last);
/// The same rows as rows row… of a matrix packed as for `multiply`: [⌈k·k·c / 32⌉][rows][32], the last panel filled up with zeros.
void revq_pack_patches(
    const float *x, float *panels, long h, long w, long c, long k, long stride, long first, long last, long row, long rows);
/// The transpose of revq_gather_patches: dx += every patch at its place.
void revq_scatter_patches(
    const float *patches, float *dx, long h, long w, long c, long k, long stride, long first, long last);
