#include "KernelTable.h"

#if defined(__aarch64__)

// Every processor of the architecture has it, so nothing has to be asked for. The plain instance has the same
// vectors, but keeps to 16 registers.
#define LANES 4
#define REGISTERS 32
#define TABLE revq_table_aarch64_neon
#include "../operations/table.h"

#endif
