// Vectors of LANES floats. In this target `a * b + c` becomes one fused operation where the instruction set has it.

typedef float vfloat __attribute__((vector_size(LANES * 4)));
typedef uint32_t vbits __attribute__((vector_size(LANES * 4)));
typedef float vfloat_unaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

typedef float vhalf __attribute__((vector_size(LANES * 2)));
typedef double vdouble __attribute__((vector_size(LANES * 4)));

#define INLINE static inline __attribute__((always_inline))

INLINE vfloat load(const float *p) { return *(const vfloat_unaligned *)p; }

INLINE void store(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }

// Sixteen lanes are vectors of AVX-512, or four of AArch64's.
#if LANES == 16 && defined(__x86_64__)
#define HAS_MASKS 1
#else
#define HAS_MASKS 0
#endif

#if HAS_MASKS
/// AVX-512 reads and writes a part of a vector at once, where memcpy of a size that only shows at run time is a call.
INLINE __mmask16 first_lanes(ptrdiff_t count) { return (__mmask16)((1u << count) - 1); }
#endif

/// The first `count` floats at `p`, zeros after them. Reads nothing else.
INLINE vfloat load_first(const float *p, ptrdiff_t count) {
#if HAS_MASKS
    return _mm512_maskz_loadu_ps(first_lanes(count), p);
#else
    vfloat v = {0};
    __builtin_memcpy(&v, p, (size_t)count * sizeof(float));
    return v;
#endif
}

/// Writes the first `count` floats of `v` and nothing else.
INLINE void store_first(float *p, vfloat v, ptrdiff_t count) {
#if HAS_MASKS
    _mm512_mask_storeu_ps(p, first_lanes(count), v);
#else
    __builtin_memcpy(p, &v, (size_t)count * sizeof(float));
#endif
}

/// A whole vector, or the first `count` floats where fewer are left.
INLINE vfloat load_some(const float *p, ptrdiff_t count) { return count >= LANES ? load(p) : load_first(p, count); }

INLINE void store_some(float *p, vfloat v, ptrdiff_t count) {
    if (count >= LANES)
        store(p, v);
    else
        store_first(p, v, count);
}

/// x in every lane. (Subtracting zero is exact for every x, so the compiler drops it; adding zero is not, for -0.)
INLINE vfloat splat(float x) { return x - (vfloat){0}; }

INLINE vfloat maximum(vfloat a, vfloat b) { return __builtin_elementwise_max(a, b); }

INLINE vfloat minimum(vfloat a, vfloat b) { return __builtin_elementwise_min(a, b); }

INLINE vfloat choose(vbits mask, vfloat a, vfloat b) { return (vfloat)((mask & (vbits)a) | (~mask & (vbits)b)); }

/// One instruction where the above take three: b where either is no number.
INLINE vfloat greater(vfloat a, vfloat b) { return choose((vbits)(a > b), a, b); }

INLINE vfloat lesser(vfloat a, vfloat b) { return choose((vbits)(a < b), a, b); }

/// The sum of all lanes, pairwise, so the order is the same wherever LANES is.
INLINE float sum(vfloat v) {
    float lanes[LANES];
    __builtin_memcpy(lanes, &v, sizeof lanes);
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

/// e^x, relative error below 2e-7, clamped to normal floats: e^-87 below, e^88 above.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2 and ln 2 in two parts, so that r is exact; then a degree-6 Taylor polynomial times 2^n.
INLINE vfloat exponential(vfloat x) {
    x = minimum(maximum(x, splat(-87.0f)), splat(88.0f));
    vfloat shifted = x * 1.44269504f + 12582912.0f;  // 1.5 · 2^23: rounds to an integer, held in the low bits
    vfloat n = shifted - 12582912.0f;
    vfloat r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    vfloat p = r * (1.0f / 720) + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return (vfloat)((vbits)p + ((vbits)shifted << 23));
}
