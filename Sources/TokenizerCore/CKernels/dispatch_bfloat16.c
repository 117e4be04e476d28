// For syscall.
#define _DEFAULT_SOURCE

#include "BFloat16Kernels.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const revq_bfloat16_convolve revq_bfloat16_avx512, revq_bfloat16_amx;

enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

static bool has_avx512_bf16(void) {
    return revq_best_instruction_set() == REVQ_X86_64_V4 && __builtin_cpu_supports("avx512bf16");
}

/// The processor's word that it has tiles, and the system's that this process may use them.
static bool has_amx_bf16(void) {
    unsigned eax, ebx, ecx, edx;
    if (!has_avx512_bf16() || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
    const unsigned both = 1u << 22 | 1u << 24;  // AMX-BF16 and AMX-TILE
    return (edx & both) == both && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

revq_bfloat16_convolve revq_bfloat16_kernel(revq_bfloat16_unit unit) {
    switch (unit) {
    case REVQ_BFLOAT16_AVX512: return has_avx512_bf16() ? revq_bfloat16_avx512 : NULL;
    case REVQ_BFLOAT16_AMX: return has_amx_bf16() ? revq_bfloat16_amx : NULL;
    }
}

#else

revq_bfloat16_convolve revq_bfloat16_kernel(revq_bfloat16_unit unit) { return NULL; }

#endif
