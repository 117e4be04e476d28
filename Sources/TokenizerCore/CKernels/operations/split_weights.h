// The panels of weights of several products, part by part on their way into what AMX multiplies.

/// Rows of a panel that are split at a time: twice this, in parts, fills the first-level cache.
enum { RESIDENT = 128 };
enum { PAIRS_IN_STEP = PARTS * PANEL * TILE_SIDE, PAIRS_IN_PART = RESIDENT / STEP * PAIRS_IN_STEP };

/// Rows of a panel on their way into [depth / 32][part][2][16 pairs][16 columns]: `pairs` rows of pairs are still to be made. What
/// comes `after` them is brought into the second-level cache.
typedef struct {
    const float *from, *after;
    uint32_t *to;
    ptrdiff_t pairs;
} splitting;

/// Makes the next row of pairs.
INLINE void split_pairs(splitting *s) {
    const float *low = s->from, *high = low + TILE_SIDE * PANEL;
    store_parts(load(low), load(high), s->to, PANEL * TILE_SIDE);
    store_parts(load(low + LANES), load(high + LANES), s->to + TILE_SIDE * TILE_SIDE, PANEL * TILE_SIDE);
#pragma clang loop unroll(full)
    for (int line = 0; line < 2 * PANEL; line += LINE) __builtin_prefetch(s->after + line, 0, 2);
    s->after += 2 * PANEL;
    bool ends_step = --s->pairs % TILE_SIDE == 0;
    s->from = low + (ends_step ? (TILE_SIDE + 1) * PANEL : PANEL);
    s->to += ends_step ? PAIRS_IN_STEP - (TILE_SIDE - 1) * TILE_SIDE : TILE_SIDE;
}

/// The panels of several products, cut into parts of at most RESIDENT rows, in the order in which they are multiplied.
typedef struct {
    const product_shape *shape;
    const product *products;
    /// Parts of a panel, of a product, and of all products.
    ptrdiff_t in_panel, in_product, count;
} weight_parts;

INLINE weight_parts parts_of(const product_shape *s, const product *products, ptrdiff_t count) {
    ptrdiff_t in_panel = (s->depth + RESIDENT - 1) / RESIDENT, in_product = in_panel * ((s->n + PANEL - 1) / PANEL);
    return (weight_parts){s, products, in_panel, in_product, in_product * count};
}

INLINE ptrdiff_t part_row(const weight_parts *w, ptrdiff_t part) { return part % w->in_panel * RESIDENT; }

INLINE ptrdiff_t part_depth(const weight_parts *w, ptrdiff_t part) {
    ptrdiff_t left = w->shape->depth - part_row(w, part);
    return left < RESIDENT ? left : RESIDENT;
}

INLINE ptrdiff_t part_column(const weight_parts *w, ptrdiff_t part) { return part % w->in_product / w->in_panel * PANEL; }

INLINE const float *part_start(const weight_parts *w, ptrdiff_t part) {
    const float *panels = w->products[part / w->in_product].panels;
    return panels + part_column(w, part) / PANEL * w->shape->panel_step + part_row(w, part) * PANEL;
}

/// Begins to split a part; none after the last one. Rows that a last step lacks are zeros, for which `padded` has room.
INLINE splitting split_part(const weight_parts *w, ptrdiff_t part, float *padded, uint32_t *to) {
    if (part >= w->count) return (splitting){0};
    const float *from = part_start(w, part), *after = part + 1 < w->count ? part_start(w, part + 1) : from;
    ptrdiff_t depth = part_depth(w, part), whole = (depth + STEP - 1) / STEP * STEP;
    if (whole > depth) {
        __builtin_memcpy(padded, from, (size_t)(depth * PANEL) * sizeof(float));
        __builtin_memset(padded + depth * PANEL, 0, (size_t)((whole - depth) * PANEL) * sizeof(float));
        from = padded;
    }
    return (splitting){from, after, to, whole / 2};
}

INLINE void finish_splitting(splitting s) {
    while (s.pairs > 0) split_pairs(&s);
}
