#include "CProcess.h"

#include <malloc.h>

void process_return_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    mallopt(M_ARENA_MAX, 4);
}

void process_trim_heap(void) {
    malloc_trim(0);
}
