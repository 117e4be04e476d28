static void add(float *y, const float *x, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(y + i, load(y + i) + load(x + i));
    if (i < count) store_first(y + i, load_first(y + i, count - i) + load_first(x + i, count - i), count - i);
}

static void activate(const float *x, ptrdiff_t count, revq_activation activation, float *y) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(y + i, activated(load(x + i), activation));
    if (i < count) store_first(y + i, activated(load_first(x + i, count - i), activation), count - i);
}

static void gate(const float *x, ptrdiff_t rows, ptrdiff_t c, float *y) {
    for (; rows > 0; rows--, x += 2 * c, y += c)
        for (ptrdiff_t i = 0; i < c; i += LANES)
            store_some(y + i, load_some(x + i, c - i) * silu_of(load_some(x + c + i, c - i)), c - i);
}
