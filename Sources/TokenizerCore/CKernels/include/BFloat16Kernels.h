/// Products whose two factors are rounded to bf16 (the upper half of an fp32 number: 8 bits of precision) and whose sums are fp32.
///
/// The algorithm is written once, in `operations/bfloat16.h`, around a tile product that each unit of the processor has in its own
/// way; one file per unit under `instances/`.
#pragma once

#include "KernelTable.h"

#pragma clang assume_nonnull begin

/// What a processor may have for such products.
typedef enum __attribute__((enum_extensibility(closed))) revq_bfloat16_unit {
    /// AVX512-BF16: sixteen sums of two products in one instruction.
    REVQ_BFLOAT16_AVX512 = 0,
    /// AMX-BF16: a matrix of 16 × 16 sums of 32 products in one instruction.
    REVQ_BFLOAT16_AMX = 1,
    /// AArch64's BFDOT: four sums of two products in one instruction.
    REVQ_BFLOAT16_NEON = 2,
} revq_bfloat16_unit;

/// A convolution of one picture, x[h, w, c] with zero padding size / 2. A matrix product x[rows, c] · w is one with h = rows, w = 1
/// and size 1.
typedef struct revq_bfloat16_picture {
    ptrdiff_t h, w, c;
    /// Side of the kernel, odd.
    ptrdiff_t size;
    ptrdiff_t stride;
    /// Whether each pixel is repeated twice in both directions first; for size 3 and stride 1.
    bool is_enlarging;
} revq_bfloat16_picture;

/// Fills lines first..<last and channels first_column..<last_column (multiples of 32, or n) of the result, y[⌈h / stride⌉,
/// ⌈w / stride⌉, n]; when enlarging, y is [2h, 2w, n] and the lines 2 · first ..< 2 · last are filled.
///
/// `weights` are as packed by `revq_pack_bfloat16_panel`, `bias` is [n], `scratch` holds `revq_bfloat16_scratch` bytes for
/// last - first lines and is 64-byte aligned. A result is one fp32 sum in the order of the packed weights, whatever the cut into
/// pieces; products of numbers below the smallest normal float count as zero.
typedef void (*revq_bfloat16_convolve)(
    const revq_bfloat16_picture *picture, const float *x, ptrdiff_t first, ptrdiff_t last, const uint16_t *weights, ptrdiff_t n,
    ptrdiff_t first_column, ptrdiff_t last_column, float *y, const float *_Nullable bias, revq_activation activation,
    void *scratch);

/// The kernel for `unit`, or null where the processor or the operating system does not have it. The first call asks the operating
/// system for the memory of AMX's registers on behalf of all threads.
revq_bfloat16_convolve _Nullable revq_bfloat16_kernel(revq_bfloat16_unit unit);

ptrdiff_t revq_bfloat16_scratch(const revq_bfloat16_picture *picture, ptrdiff_t lines);

/// Rounds and packs weights stored as [n, c, size, size] for output channels 32 · panel ..< 32 · (panel + 1). `to` receives
/// `revq_bfloat16_panel` numbers: [⌈c / 32⌉][size · size][2][16][16][2], i.e. for every 32 inputs of every tap two tiles of 16
/// outputs, each with its inputs in pairs; zeros where there is no input or output.
///
/// When enlarging, [4][⌈c / 32⌉][4][2][16][16][2]: for each of the four pixels that one becomes, a 2×2 kernel whose taps are sums
/// of the original ones, rounded once.
void revq_pack_bfloat16_panel(
    bool is_enlarging, const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t size, ptrdiff_t panel, uint16_t *to);

ptrdiff_t revq_bfloat16_panel(bool is_enlarging, ptrdiff_t c, ptrdiff_t size);

#pragma clang assume_nonnull end
