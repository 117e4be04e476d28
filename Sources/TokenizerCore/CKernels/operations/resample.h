// Sums of bytes times fixed-point weights, for resizing pictures: integers, so that every instruction set gives the same bytes.

enum { FRACTION_BITS = REVQ_WEIGHT_FRACTION_BITS, SUMS_TOGETHER = 4 };

typedef int32_t vints __attribute__((vector_size(LANES * 4)));
typedef uint8_t vbytes __attribute__((vector_size(LANES)));
/// Sums of the three colours of two pixels, with a lane to spare behind each; for all instruction sets, as a picture has three on each.
/// Between functions these go by pointers: by value, vectors wider than the processor's would not have one convention of calls.
typedef int32_t pixel_pair __attribute__((vector_size(32)));
typedef int16_t pixel_group __attribute__((vector_size(32)));
typedef uint8_t pixel_bytes __attribute__((vector_size(16)));
typedef int32_t pixel_sums __attribute__((vector_size(16)));

/// The bytes that sums stand for.
INLINE vbytes rounded_bytes(vints sums) {
    vints levels = sums >> FRACTION_BITS;
    levels = __builtin_elementwise_min(__builtin_elementwise_max(levels, (vints){0}), (vints){0} + 255);
    return __builtin_convertvector(levels, vbytes);
}

/// Bytes i..<i + `vectors` · LANES of the sum of the rows; of the last vector only `last` bytes are read and written.
INLINE void sum_bytes(
    const uint8_t *rows, ptrdiff_t row_bytes, ptrdiff_t ring, ptrdiff_t first, const int32_t *weights, ptrdiff_t taps, ptrdiff_t i, const int vectors,
    ptrdiff_t last, uint8_t *to) {
    vints sums[SUMS_TOGETHER];
    for (int v = 0; v < vectors; v++) sums[v] = (vints){0} + (1 << (FRACTION_BITS - 1));
    for (ptrdiff_t tap = 0, row = first; tap < taps; tap++, row = row + 1 == ring ? 0 : row + 1) {
        const uint8_t *line = rows + row * row_bytes + i;
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            vbytes bytes = {0};
            __builtin_memcpy(&bytes, line + v * LANES, v + 1 == vectors ? (size_t)last : LANES);
            sums[v] += __builtin_convertvector(bytes, vints) * weights[tap];
        }
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        vbytes bytes = rounded_bytes(sums[v]);
        __builtin_memcpy(to + i + v * LANES, &bytes, v + 1 == vectors ? (size_t)last : LANES);
    }
}

static void sum_byte_rows(
    const uint8_t *rows, ptrdiff_t row_bytes, ptrdiff_t ring, ptrdiff_t first, const int32_t *weights, ptrdiff_t taps, uint8_t *to) {
    ptrdiff_t i = 0;
    for (; i + SUMS_TOGETHER * LANES <= row_bytes; i += SUMS_TOGETHER * LANES)
        sum_bytes(rows, row_bytes, ring, first, weights, taps, i, SUMS_TOGETHER, LANES, to);
    for (; i + LANES <= row_bytes; i += LANES) sum_bytes(rows, row_bytes, ring, first, weights, taps, i, 1, LANES, to);
    if (i < row_bytes) sum_bytes(rows, row_bytes, ring, first, weights, taps, i, 1, row_bytes - i, to);
}

/// Four pixels, as 16-bit numbers: each colour of the first two side by side, two lanes to spare, then of the second two.
INLINE void spread_pixels(pixel_bytes bytes, const int first, pixel_group *pixels) {
    const pixel_bytes zero = {0};
    typedef uint8_t spread_bytes __attribute__((vector_size(32)));
    spread_bytes spread = first == 0 ? __builtin_shufflevector(
                                           bytes, zero, 0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16, 6, 16, 9, 16, 7, 16, 10, 16, 8,
                                           16, 11, 16, 16, 16, 16, 16)
                                     : __builtin_shufflevector(
                                           bytes, zero, 4, 16, 7, 16, 5, 16, 8, 16, 6, 16, 9, 16, 16, 16, 16, 16, 10, 16, 13, 16, 11, 16, 14, 16,
                                           12, 16, 15, 16, 16, 16, 16, 16);
    *pixels = (pixel_group)spread;
}

/// Four pixels of whose bytes none behind them are read; where others lie before them, four of those instead, which takes one load.
INLINE void last_pixels(const uint8_t *from, const bool has_others_before, pixel_group *pixels) {
    enum { BYTES = 3 * REVQ_PIXELS_TOGETHER, SPARE = 16 - BYTES };
    pixel_bytes bytes = {0};
    if (has_others_before)
        __builtin_memcpy(&bytes, from - SPARE, 16);
    else
        __builtin_memcpy(&bytes, from, BYTES);
    spread_pixels(bytes, has_others_before ? SPARE : 0, pixels);
}

/// Adds sums of neighbouring products, an instruction of its own where it is written so.
INLINE void add_pairs(const pixel_group *pixels, const int16_t *weights, pixel_pair *sums) {
    typedef int32_t products __attribute__((vector_size(64)));
    pixel_group factors;
    __builtin_memcpy(&factors, weights, sizeof factors);
    products p = __builtin_convertvector(*pixels, products) * __builtin_convertvector(factors, products);
    *sums += __builtin_shufflevector(p, p, 0, 2, 4, 6, 8, 10, 12, 14) + __builtin_shufflevector(p, p, 1, 3, 5, 7, 9, 11, 13, 15);
}

INLINE void resize_row(
    const uint8_t *from, const ptrdiff_t *starts, const int16_t *weights, ptrdiff_t groups, const bool has_several, ptrdiff_t columns, uint8_t *to) {
    typedef uint8_t bytes4 __attribute__((vector_size(4)));
    for (ptrdiff_t column = 0; column < columns; column++, to += 3) {
        const uint8_t *pixel = from + 3 * starts[column];
        pixel_group pixels;
        pixel_pair upper = {0}, lower = {0};
        for (ptrdiff_t group = has_several ? 1 : groups; group < groups; group++, weights += REVQ_PIXEL_WEIGHTS) {
            pixel_bytes bytes;
            __builtin_memcpy(&bytes, pixel, sizeof bytes);
            spread_pixels(bytes, 0, &pixels);
            add_pairs(&pixels, weights, &upper);
            add_pairs(&pixels, weights + REVQ_PIXEL_WEIGHTS / 2, &lower);
            pixel += 3 * REVQ_PIXELS_TOGETHER;
        }
        last_pixels(pixel, has_several, &pixels);
        add_pairs(&pixels, weights, &upper);
        add_pairs(&pixels, weights + REVQ_PIXEL_WEIGHTS / 2, &lower);
        weights += REVQ_PIXEL_WEIGHTS;
        pixel_pair sums = (upper << FRACTION_BITS / 2) + lower;
        pixel_sums levels = __builtin_shufflevector(sums, sums, 0, 1, 2, 3) + __builtin_shufflevector(sums, sums, 4, 5, 6, 7);
        levels = (levels + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
        levels = __builtin_elementwise_min(__builtin_elementwise_max(levels, (pixel_sums){0}), (pixel_sums){0} + 255);
        bytes4 bytes = __builtin_convertvector(levels, bytes4);
        __builtin_memcpy(to, &bytes, 3);
    }
}

static void resize_rgb_row(
    const uint8_t *from, const ptrdiff_t *starts, const int16_t *weights, ptrdiff_t groups, ptrdiff_t columns, uint8_t *to) {
    if (groups == 1)
        resize_row(from, starts, weights, 1, false, columns, to);
    else
        resize_row(from, starts, weights, groups, true, columns, to);
}
