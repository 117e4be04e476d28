#include "KernelTable.h"

#if defined(__x86_64__)

#define LANES 8
#define REGISTERS 16
#define TABLE revq_table_x86_64_v3
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "../operations/table.h"
#pragma clang attribute pop

#endif
