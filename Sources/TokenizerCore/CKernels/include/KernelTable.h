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

/// The instruction sets the kernels are compiled for, each containing the one before it.
typedef enum __attribute__((enum_extensibility(closed))) revq_instruction_set {
    /// Whatever every processor of the architecture has; vectors of 4 floats.
    REVQ_PLAIN = 0,
    /// AVX2 and FMA; vectors of 8 floats.
    REVQ_X86_64_V3 = 1,
    /// AVX-512 F, BW, CD, DQ and VL; vectors of 16 floats.
    REVQ_X86_64_V4 = 2,
} revq_instruction_set;

/// The operations, compiled for one instruction set. Counts are in elements; no pointer needs alignment; buffers do not overlap
/// unless an operation says that it works in place.
typedef struct revq_kernel_table {
    /// y[i] += x[i]
    void (*add)(float *y, const float *x, ptrdiff_t count);
    /// x[i] = x[i] / (1 + exp(-x[i])), relative error below 1e-6.
    void (*silu)(float *x, ptrdiff_t count);
} revq_kernel_table;

/// The most capable instruction set of this processor.
revq_instruction_set revq_best_instruction_set(void);

/// The operations for `set`, or null where this processor cannot run them.
const revq_kernel_table *_Nullable revq_kernels(revq_instruction_set set);

#pragma clang assume_nonnull end
