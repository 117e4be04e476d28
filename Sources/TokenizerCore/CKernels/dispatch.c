#include "KernelTable.h"

extern const revq_kernel_table revq_table_plain;

#if defined(__x86_64__)

extern const revq_kernel_table revq_table_x86_64_v3;
extern const revq_kernel_table revq_table_x86_64_v4;

static bool has_x86_64_v3(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

static bool has_x86_64_v4(void) {
    return has_x86_64_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

revq_instruction_set revq_best_instruction_set(void) {
    __builtin_cpu_init();
    return has_x86_64_v4() ? REVQ_X86_64_V4 : has_x86_64_v3() ? REVQ_X86_64_V3 : REVQ_PLAIN;
}

const revq_kernel_table *revq_kernels(revq_instruction_set set) {
    if (set > revq_best_instruction_set()) return NULL;
    return set == REVQ_X86_64_V4   ? &revq_table_x86_64_v4
           : set == REVQ_X86_64_V3 ? &revq_table_x86_64_v3
                                   : &revq_table_plain;
}

#else

revq_instruction_set revq_best_instruction_set(void) { return REVQ_PLAIN; }

const revq_kernel_table *revq_kernels(revq_instruction_set set) { return set == REVQ_PLAIN ? &revq_table_plain : NULL; }

#endif
