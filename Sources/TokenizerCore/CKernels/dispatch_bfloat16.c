#include "BFloat16Kernels.h"

#if defined(__x86_64__)

extern const revq_bfloat16_convolve revq_bfloat16_avx512, revq_bfloat16_amx;

static bool has_avx512_bf16(void) {
    return revq_best_instruction_set() >= REVQ_X86_64_V4 && __builtin_cpu_supports("avx512bf16");
}

revq_bfloat16_convolve revq_bfloat16_kernel(revq_bfloat16_unit unit) {
    switch (unit) {
    case REVQ_BFLOAT16_AVX512: return has_avx512_bf16() ? revq_bfloat16_avx512 : NULL;
    case REVQ_BFLOAT16_AMX: return has_avx512_bf16() && revq_best_instruction_set() == REVQ_X86_64_AMX ? revq_bfloat16_amx : NULL;
    }
}

#else

revq_bfloat16_convolve revq_bfloat16_kernel(revq_bfloat16_unit unit) {
    (void)unit;
    return NULL;
}

#endif
