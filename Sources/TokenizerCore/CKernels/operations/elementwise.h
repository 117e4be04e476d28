static void add(float *y, const float *x, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(y + i, load(y + i) + load(x + i));
    if (i < count) store_first(y + i, load_first(y + i, count - i) + load_first(x + i, count - i), count - i);
}

INLINE vfloat silu_of(vfloat x) { return x / (exponential(-x) + 1.0f); }

static void silu(float *x, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(x + i, silu_of(load(x + i)));
    if (i < count) store_first(x + i, silu_of(load_first(x + i, count - i)), count - i);
}
