#include "KernelTable.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#define REGISTERS 32
#define TABLE revq_table_x86_64_v4
// Without the minimum width the compiler splits 512-bit vectors for processors that clock down on them.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#include "../operations/table.h"
#pragma clang attribute pop

#endif
