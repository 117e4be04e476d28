#include "Denormals.h"

#if defined(__x86_64__)
#include <immintrin.h>

// MXCSR: results and operands too small for a normal float count as zero.
enum { flush_results = 0x8000, flush_operands = 0x0040 };

unsigned long revq_flush_denormals(void) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | flush_results | flush_operands);
    return before;
}

void revq_restore_denormals(unsigned long before) { _mm_setcsr((unsigned)before); }

#elif defined(__aarch64__)

enum { flush = 1 << 24 }; // FPCR.FZ

unsigned long revq_flush_denormals(void) {
    unsigned long before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | flush));
    return before;
}

void revq_restore_denormals(unsigned long before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }

#else

unsigned long revq_flush_denormals(void) { return 0; }

void revq_restore_denormals(unsigned long before) { (void)before; }

#endif
