// STEP numbers in vectors: what strips are filled with.

typedef struct {
    vfloat at[STEP / LANES];
} step;

INLINE step load_step(const float *from) {
    step s;
#pragma clang loop unroll(full)
    for (int i = 0; i < STEP / LANES; i++) s.at[i] = load(from + i * LANES);
    return s;
}

/// The first `count` of STEP numbers, or all where there are more; zeros in the place of the others, which are not read.
INLINE step load_some_step(const float *from, ptrdiff_t count) {
    step s;
#pragma clang loop unroll(full)
    for (int i = 0; i < STEP / LANES; i++) s.at[i] = i * LANES < count ? load_some(from + i * LANES, count - i * LANES) : splat(0);
    return s;
}
