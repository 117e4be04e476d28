// For syscall.
#define _DEFAULT_SOURCE

#include <stdatomic.h>

#include "KernelTable.h"

extern const revq_kernel_table revq_table_plain;

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const revq_kernel_table revq_table_x86_64_v3;
extern const revq_kernel_table revq_table_x86_64_v4;
extern const revq_kernel_table revq_table_x86_64_amx;

enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

static bool has_x86_64_v3(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

static bool has_x86_64_v4(void) {
    return has_x86_64_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/// The processor's word that it has the matrix unit, and the system's that this process may use it. The request is for all threads.
static bool has_x86_64_amx(void) {
    unsigned eax, ebx, ecx, edx;
    if (!has_x86_64_v4() || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
    const unsigned both = 1u << 22 | 1u << 24;  // AMX-BF16 and AMX-TILE
    return (edx & both) == both && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

static revq_instruction_set find_best_instruction_set(void) {
    __builtin_cpu_init();
    return has_x86_64_amx() ? REVQ_X86_64_AMX : has_x86_64_v4() ? REVQ_X86_64_V4 : has_x86_64_v3() ? REVQ_X86_64_V3 : REVQ_PLAIN;
}

/// Asked once: an operation looks its kernels up, and a virtual machine leaves to its host what a processor says of itself.
revq_instruction_set revq_best_instruction_set(void) {
    static _Atomic int found = -1;
    int best = atomic_load_explicit(&found, memory_order_relaxed);
    if (best < 0) {
        best = (int)find_best_instruction_set();
        atomic_store_explicit(&found, best, memory_order_relaxed);
    }
    return (revq_instruction_set)best;
}

const revq_kernel_table *revq_kernels(revq_instruction_set set) {
    if (set > revq_best_instruction_set()) return NULL;
    switch (set) {
    case REVQ_PLAIN: return &revq_table_plain;
    case REVQ_X86_64_V3: return &revq_table_x86_64_v3;
    case REVQ_X86_64_V4: return &revq_table_x86_64_v4;
    case REVQ_X86_64_AMX: return &revq_table_x86_64_amx;
    case REVQ_AARCH64_NEON: return NULL;
    }
}

#elif defined(__aarch64__)

extern const revq_kernel_table revq_table_aarch64_neon;

revq_instruction_set revq_best_instruction_set(void) { return REVQ_AARCH64_NEON; }

const revq_kernel_table *revq_kernels(revq_instruction_set set) {
    return set == REVQ_AARCH64_NEON ? &revq_table_aarch64_neon : set == REVQ_PLAIN ? &revq_table_plain : NULL;
}

#else

revq_instruction_set revq_best_instruction_set(void) { return REVQ_PLAIN; }

const revq_kernel_table *revq_kernels(revq_instruction_set set) { return set == REVQ_PLAIN ? &revq_table_plain : NULL; }

#endif
