#include "KernelTable.h"

#define LANES 4
#define TABLE revq_table_plain
#include "../operations/table.h"
