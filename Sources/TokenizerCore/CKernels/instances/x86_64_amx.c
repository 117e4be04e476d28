#include "KernelTable.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#define REGISTERS 32
#define MATRIX_TILES
#define TABLE revq_table_x86_64_amx
#pragma clang attribute push(                                                                                                 \
    __attribute__((target("arch=x86-64-v4,prfchw,amx-tile,amx-bf16"), min_vector_width(512))), apply_to = function)
#include "../operations/table.h"
#pragma clang attribute pop

#endif
