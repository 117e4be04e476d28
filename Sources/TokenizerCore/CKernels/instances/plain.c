#include "KernelTable.h"

#define LANES 4
#define REGISTERS 16
#define TABLE revq_table_plain
#include "../operations/table.h"
