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
    case REVQ_BFLOAT16_NEON: return NULL;
    }
}

#elif defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

extern const revq_bfloat16_convolve revq_bfloat16_neon;

revq_bfloat16_convolve revq_bfloat16_kernel(revq_bfloat16_unit unit) {
    return unit == REVQ_BFLOAT16_NEON && (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0 ? revq_bfloat16_neon : NULL;
}

#else

revq_bfloat16_convolve revq_bfloat16_kernel(revq_bfloat16_unit unit) {
    (void)unit;
    return NULL;
}

#endif
