/// Element-wise, normalising and depthwise passes of the layers, backward.
/// Matrices are row-major; a feature map is [h, w, c], so its rows are pixels. Nothing here starts threads.
#pragma once

/// The gradient of y = x / √(mean x² + eps) · weight + bias: dx, and += into dweight[c] and dbias[c] (NULL where there is no bias). dx may be dy.
void revq_rms_norm_backward(
    const float *x, const float *weight, const float *dy, float *dx, float *dweight, float *dbias, long rows, long c, float eps);

/// sum[c] += Σ rows of x.
void revq_column_sums(const float *x, float *sum, long rows, long c);

/// dx = dy · silu'(x); dx may be dy.
void revq_silu_backward(const float *x, const float *dy, float *dx, long count);
/// dx = dy where x > 0; dx may be dy.
void revq_relu_backward(const float *x, const float *dy, float *dx, long count);
/// x is [rows, 2c] = (value, gate), y = value · silu(gate); fills dx[rows, 2c].
void revq_gated_silu_backward(const float *x, const float *dy, float *dx, long rows, long c);

/// dweight[k·k, c] += the gradient for the weights of a depthwise k×k, stride 1, zero padding k/2.
void revq_depthwise_backward_weight(const float *x, const float *dy, float *dweight, long h, long w, long c, long k);

/// Rows first..<last of the patch matrix [ho·wo, k·k·c] of a k×k convolution with padding k/2; ho = ⌈h/stride⌉.
void revq_gather_patches(
    const float *x, float *patches, long h, long w, long c, long k, long stride, long first, long last);
/// The transpose of revq_gather_patches: dx += every patch at its place.
void revq_scatter_patches(
    const float *patches, float *dx, long h, long w, long c, long k, long stride, long first, long last);

/// One step of AdamW over `count` parameters (decoupled weight decay, bias-corrected moments).
void revq_adamw(
    float *parameter, const float *gradient, float *first, float *second, long count, float beta1, float beta2, float epsilon,
    float step_size, float second_correction, float shrink, float gradient_scale);
