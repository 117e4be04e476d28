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
