/// Kernels that need instruction-set dispatch. Every operation is written once, with vectors of `LANES` floats, in its own header
/// under `operations/`, compiled once per instruction set by the files under `instances/`, and reached through a table of
/// functions.
///
/// To add an operation: write it as a `static` function in `operations/`, include that file and name the function in
/// `operations/table.h`, and declare it here.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The instruction sets the kernels are compiled for. Those of an architecture contain the ones before.
typedef enum __attribute__((enum_extensibility(closed))) revq_instruction_set {
    /// Whatever every processor of the architecture has; vectors of 4 floats.
    REVQ_PLAIN = 0,
    /// AVX2 and FMA; vectors of 8 floats.
    REVQ_X86_64_V3 = 1,
    /// AVX-512 F, BW, CD, DQ and VL; vectors of 16 floats.
    REVQ_X86_64_V4 = 2,
    /// The same and AMX-BF16: a matrix unit, on which products of fp32 numbers are made from those of their bf16 parts.
    REVQ_X86_64_AMX = 3,
    /// What every AArch64 processor has: the vectors of the plain one, with 32 registers for them.
    REVQ_AARCH64_NEON = 4,
} revq_instruction_set;

/// The element-wise function at the end of a product.
typedef enum __attribute__((enum_extensibility(closed))) revq_activation {
    REVQ_IDENTITY = 0,
    REVQ_RELU = 1,
    REVQ_SILU = 2,
} revq_activation;

/// What Winograd's algorithm computes: a 3×3 convolution and what stands between it and the picture, or a larger one.
typedef enum __attribute__((enum_extensibility(closed))) revq_winograd {
    /// Nothing: stride 1.
    REVQ_PLAIN_PICTURE = 0,
    /// Each pixel is repeated twice in both directions first.
    REVQ_ENLARGING = 1,
    /// Every second result in both directions is formed: stride 2.
    REVQ_HALVING = 2,
    /// A 5×5 convolution of stride 1, put together from four 3×3 ones.
    REVQ_FIVE_BY_FIVE = 3,
} revq_winograd;

/// One step of AdamW: decoupled weight decay, bias-corrected moments.
typedef struct revq_adamw_step {
    float beta1, beta2, epsilon;
    /// The learning rate over the first moment's correction.
    float step_size;
    /// One over the root of the second moment's correction.
    float second_correction;
    /// What is left of a parameter after decay.
    float shrink;
    /// Multiplies the gradient first.
    float gradient_scale;
} revq_adamw_step;

/// The largest kernel of a depthwise convolution that has gradients.
#define REVQ_DEPTHWISE_LARGEST_SIZE 15

/// Bits behind the point of the weights that pictures are resized with; Pillow's.
#define REVQ_WEIGHT_FRACTION_BITS 22
/// Pixels of a row that are weighed together, and the 16-bit numbers that their weights are laid out in.
#define REVQ_PIXELS_TOGETHER 4
#define REVQ_PIXEL_WEIGHTS 32

/// The operations, compiled for one instruction set. Counts are in elements; no pointer needs alignment; buffers do not overlap
/// unless an operation says that it works in place.
typedef struct revq_kernel_table {
    /// y[i] += x[i]
    void (*add)(float *y, const float *x, ptrdiff_t count);
    /// y[i] = activation(x[i]); SiLU is x / (1 + exp(-x)) with a relative error below 1e-6. y may be x.
    void (*activate)(const float *x, ptrdiff_t count, revq_activation activation, float *y);
    /// y[rows, c] = the first half of x[rows, 2c] times the SiLU of the second.
    void (*gate)(const float *x, ptrdiff_t rows, ptrdiff_t c, float *y);
    /// c[m, n] = activation(a[m, k] · b[k, n] + bias[n]), with a's rows `lda` and c's rows `ldc` floats apart and b packed as
    /// [⌈n / 32⌉][k][32], padded with zeros.
    ///
    /// An element is the sum of fp32 sums over 256 (with AMX 512) consecutive k each, so it does not depend on m or n, nor on its
    /// place. With AMX, products with a factor that is infinite or beyond 3.39e38 are not numbers.
    void (*multiply)(
        ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, const float *panels, float *c, ptrdiff_t ldc,
        const float *_Nullable bias, revq_activation activation);
    /// c[m, n] += a[k, m]ᵀ · b[k, n], with a's rows `lda` and c's rows `ldc` floats apart and b packed as for `multiply`. Sums are
    /// formed as there.
    void (*add_transposed_product)(
        ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, const float *panels, float *c, ptrdiff_t ldc);
    /// Output pixels first..<last, counted through the images, and channels 0..<n of a convolution: x is [images, h, w, c], y is
    /// [images, ⌈h / stride⌉, ⌈w / stride⌉, ldc], the kernel is `size`² with zero padding size / 2, and its weights are packed as the
    /// matrix [size · size · c, n] whose rows are ordered (row, column, channel). Sums are formed as in `multiply`.
    void (*convolve)(
        const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t first, ptrdiff_t last,
        const float *panels, ptrdiff_t n, float *y, ptrdiff_t ldc, const float *_Nullable bias, revq_activation activation);
    /// The same as `convolve` for the kind's size, by Winograd's algorithm. Output tiles first..<last of 4×4 pixels, counted through the
    /// images, and channels first_column..<last_column (multiples of REVQ_WINOGRAD_CHUNK, or n) of n. x is [images, h, w, c] with c
    /// a multiple of 16 (of 32 for 5×5), y is [images, h, w, n], [images, 2h, 2w, n] or [images, ⌈h / 2⌉, ⌈w / 2⌉, n]. `scratch` holds
    /// `winograd_scratch` floats for last - first tiles. A sum over the channels is formed as in `multiply`.
    void (*convolve_winograd)(
        revq_winograd kind, const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t first, ptrdiff_t last,
        const float *weights, ptrdiff_t n, ptrdiff_t first_column, ptrdiff_t last_column, float *y, const float *_Nullable bias,
        revq_activation activation, float *scratch);
    ptrdiff_t (*winograd_scratch)(revq_winograd kind, ptrdiff_t c, ptrdiff_t count);
    /// gradient[n, 9, c] += the gradient for the weights of a 3×3 convolution of stride 1, by Winograd's algorithm, of tiles first..<last of
    /// 4×4 pixels, counted through the images, and channels first_column..<last_column of x, of which the other channels are left alone.
    /// x is [images, h, w, c] with c a multiple of 16, as are the bounds of the columns; dy is [images, h, w, n]. `scratch` holds
    /// `winograd_gradient_scratch` floats for last_column - first_column columns. Sums over tiles are formed in runs of 64.
    void (*add_winograd_gradient)(
        const float *x, const float *dy, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t n, ptrdiff_t first, ptrdiff_t last,
        ptrdiff_t first_column, ptrdiff_t last_column, float *gradient, float *scratch);
    ptrdiff_t (*winograd_gradient_scratch)(ptrdiff_t n, ptrdiff_t columns);
    /// Rows that the products above work best on multiples of.
    ptrdiff_t strip_rows;
    /// Lines first..<last, counted through the images, of a convolution of each channel by itself: x is [images, h, w, c], weights
    /// are [size, size, c], stride is 1 and zero padding size / 2. y is [images, h, w, c], or when gated [images, h, w, c / 2]:
    /// the first half of the results times the SiLU of the second.
    void (*convolve_depthwise)(
        const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, const float *weights, const float *_Nullable bias,
        bool is_gated, ptrdiff_t first, ptrdiff_t last, float *y);
    /// Row by row: y = activation(x / √(mean x² + epsilon) · weight + bias) + residual. y may be x or residual.
    void (*rms_norm)(
        const float *x, ptrdiff_t rows, ptrdiff_t c, const float *weight, const float *bias, float epsilon,
        revq_activation activation, const float *_Nullable residual, float *y);
    /// Row by row: y = activation(x · scale + shift) + residual; scale and shift are [c]. y may be x or residual.
    void (*scale_shift)(
        const float *x, ptrdiff_t rows, ptrdiff_t c, const float *scale, const float *shift, revq_activation activation,
        const float *_Nullable residual, float *y);
    /// One head of DC-AE's attention: y = relu(q) · M / (relu(q) · s + epsilon) with M = Σ relu(k) vᵀ and s = Σ relu(k) over all
    /// positions. A position is q, k and v of d numbers each, one after the other; positions are `stride`, results `y_stride`
    /// floats apart. `scratch` holds `attend_scratch` floats.
    void (*attend)(
        const float *qkv, ptrdiff_t positions, ptrdiff_t stride, ptrdiff_t d, float epsilon, float *y, ptrdiff_t y_stride,
        float *scratch);
    ptrdiff_t (*attend_scratch)(ptrdiff_t positions, ptrdiff_t d);
    /// Output lines first..<last, counted through the images, of y[images, h / 2, w / 2, 4c / share] += the means of each `share`
    /// consecutive channels of the pixel-unshuffled x[images, h, w, c].
    void (*add_downsampled)(
        const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t share, ptrdiff_t first, ptrdiff_t last, float *y);
    /// Output lines first..<last, counted through the images, of y[images, 2h, 2w, c · share / 4] += the pixel-shuffle of
    /// x[images, h, w, c] with each channel repeated `share` times.
    void (*add_upsampled)(
        const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t share, ptrdiff_t first, ptrdiff_t last, float *y);
    /// dy[i] *= activation'(x[i])
    void (*activate_backward)(const float *x, float *dy, ptrdiff_t count, revq_activation activation);
    /// sums[columns] += Σ over the rows of x, which are `stride` floats apart.
    void (*add_columns)(const float *x, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t columns, float *sums);
    /// Σ x², in double precision.
    double (*sum_squares)(const float *x, ptrdiff_t count);
    /// The gradient of `rms_norm` without activation and residual: turns dy into dx, and adds to dweight[c] and dbias[c].
    void (*rms_norm_backward)(
        const float *x, ptrdiff_t rows, ptrdiff_t c, const float *weight, float epsilon, float *dy, float *dweight, float *dbias);
    /// The gradients of `convolve_depthwise` behind an activation, channels first..<last of all images: fills dx, and adds to
    /// dtaps[size, size, c] and dbias[c]. x is what the activation was applied to, `turned` are the weights turned by 180°, `size` is at
    /// most REVQ_DEPTHWISE_LARGEST_SIZE. dy is the gradient for the results; or, where `halves` are those results, the gradient for
    /// what `gate` made of them, and then first..<last are channels of that.
    void (*depthwise_backward)(
        const float *x, const float *_Nullable halves, const float *dy, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c,
        ptrdiff_t size, const float *turned, revq_activation activation, ptrdiff_t first, ptrdiff_t last, float *dx, float *dtaps,
        float *_Nullable dbias);
    /// Results first..<last, counted through the images, of the largest values in neighbourhoods of `size`² pixels, `stride` pixels apart, channel
    /// by channel: x is [images, h, w, c], y is [images, ho, wo, c]. A neighbourhood that reaches beyond the picture's end is cut off there.
    void (*pool_maximum)(
        const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t ho, ptrdiff_t wo, ptrdiff_t first,
        ptrdiff_t last, float *y);
    /// Its gradient: adds each result's share of dy to the first of the largest values in the order of the pixels. y are the results.
    void (*pool_maximum_backward)(
        const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c, ptrdiff_t size, ptrdiff_t stride, ptrdiff_t ho, ptrdiff_t wo, const float *y,
        const float *dy, ptrdiff_t first, ptrdiff_t last, float *dx);
    /// The gradient of `attend`: fills dqkv, laid out as qkv is. `scratch` holds `attend_backward_scratch` floats.
    void (*attend_backward)(
        const float *qkv, ptrdiff_t positions, ptrdiff_t stride, ptrdiff_t d, float epsilon, const float *dy, ptrdiff_t dy_stride,
        float *dqkv, float *scratch);
    ptrdiff_t (*attend_backward_scratch)(ptrdiff_t positions, ptrdiff_t d);
    /// Moves `count` parameters and their moments.
    void (*adamw)(
        const revq_adamw_step *step, const float *gradient, ptrdiff_t count, float *parameter, float *first, float *second);
    /// For `count` vectors of d floats: the index of the code at the least Euclidean distance, the lowest of equally near ones.
    /// The answer is that of double precision. Vector i starts at vectors[i · stride · d], its answer goes to found[i · stride].
    ///
    /// A codebook is boxes[d][low, high][regions] that contain those of 16 cells each, boxes[d][low, high][cells] that contain the codes of
    /// each cell, and the cells, each codes[d][64] and the bits of 32-bit indices[64]. `cells` is a multiple of 16, and there are
    /// cells / 16 regions, filled up to a multiple of 16. Places that hold no code are infinite and have the largest index, boxes
    /// that hold none are infinite. `bounds` is working memory for `regions` floats.
    void (*nearest_code)(
        const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, ptrdiff_t cells,
        float *bounds, int32_t *found);
    /// The same for codes in the order of their indices, [codes, d], without any preparation: every code is looked at. `scratch` is
    /// working memory for 64 · (3d + 1) floats.
    void (*scan_codes)(
        const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, ptrdiff_t codes, float *scratch,
        int32_t *found);
    /// Adds each of the `count` vectors to the record of its code in totals[codes][d + 3]: 1, the weight, the weighted squared distance
    /// from the code, and d weighted numbers. Vectors and codes lie as for `scan_codes`, found[i · stride] is vector i's code.
    void (*add_to_cells)(
        const float *vectors, const int32_t *found, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook,
        double weight, double *totals);
    /// to[i] = bytes[i] / 127.5 − 1, rounded after the division and after the subtraction.
    void (*centre_bytes)(const uint8_t *bytes, ptrdiff_t count, float *to);
    /// to[i · plane + x] = from[x · c + i] for `count` positions x of `c` channels each.
    void (*split_channels)(const float *from, ptrdiff_t c, ptrdiff_t count, ptrdiff_t plane, float *to);
    /// One row from `taps` consecutive rows of bytes: to[i] = ½ + Σ weights[t] · row[t][i], a fixed-point number with
    /// REVQ_WEIGHT_FRACTION_BITS, brought into 0…255. `rows` holds `ring` rows of `row_bytes` each; the row after the last is row 0,
    /// and `first` is where the sum begins.
    void (*sum_byte_rows)(
        const uint8_t *rows, ptrdiff_t row_bytes, ptrdiff_t ring, ptrdiff_t first, const int32_t *weights, ptrdiff_t taps, uint8_t *to);
    /// The same along a row of pixels of three bytes: pixel x of the result is the sum of REVQ_PIXELS_TOGETHER · `groups` pixels from
    /// `starts[x]` on, all of which there have to be, with the weights that `revq_pack_pixel_weights` has laid out for it.
    void (*resize_rgb_row)(
        const uint8_t *from, const ptrdiff_t *starts, const int16_t *weights, ptrdiff_t groups, ptrdiff_t columns, uint8_t *to);
} revq_kernel_table;

/// The most capable instruction set of this processor.
revq_instruction_set revq_best_instruction_set(void);

/// The operations for `set`, or null where this processor cannot run them.
const revq_kernel_table *_Nullable revq_kernels(revq_instruction_set set);

/// Packs panel `panel` of the matrix [taps · c, n] for `multiply` and `convolve` from weights stored as [n, c, taps]: `to` receives
/// [taps · c][32], rows ordered (tap, channel), with zeros for columns beyond n.
void revq_pack_panel(const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t taps, ptrdiff_t panel, float *to);

/// Packs rows first..<last of the matrix stored as [k, n] for `multiply` into all its panels.
void revq_pack_rows(const float *rows, ptrdiff_t k, ptrdiff_t n, ptrdiff_t first, ptrdiff_t last, float *to);

/// Channels of a result that `convolve_winograd` forms together.
#define REVQ_WINOGRAD_CHUNK 128

/// Transforms weights stored as [n, c, 3, 3], or [n, c, 5, 5], for `convolve_winograd` and packs those of panel `panel`. All panels together
/// fill `to`: revq_winograd_weights(kind) · c · 32 · ⌈n / 32⌉ floats, [⌈n / 128⌉][weights][panels of the 128 channels][c][32], for 5×5 with
/// the channels of each of the four 3×3 kernels one after the other.
void revq_pack_winograd_panel(revq_winograd kind, const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t panel, float *to);

/// Lays `count` weights out for one pixel of `resize_rgb_row`, behind `before` weights of nought and with such behind them:
/// to[groups][2][2][8], for each group first the upper and then the lower parts, w = upper · 2¹¹ + lower, of the first and of the second
/// two of its four pixels, each pair thrice and twice nought. A weight has at most 26 bits and a sign.
void revq_pack_pixel_weights(const int32_t *weights, ptrdiff_t count, ptrdiff_t before, ptrdiff_t groups, int16_t *to);

/// Numbers that a transformed kernel has.
int revq_winograd_weights(revq_winograd kind);

#pragma clang assume_nonnull end
