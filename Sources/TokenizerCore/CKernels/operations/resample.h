// Sums of bytes times fixed-point weights, for resizing pictures: integers, so that every instruction set gives the same bytes.

enum { FRACTION_BITS = REVQ_WEIGHT_FRACTION_BITS, SUMS_TOGETHER = 4 };

typedef int32_t vints __attribute__((vector_size(LANES * 4)));
typedef uint8_t vbytes __attribute__((vector_size(LANES)));
/// Two pixels, with a lane to spare behind each; for all instruction sets, as a picture has three colours on each.
typedef int32_t pixel_pair __attribute__((vector_size(32)));
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

/// Two pixels of which `bytes` bytes are read: 8 where more follow, else 6 or 3.
INLINE pixel_pair load_pixels(const uint8_t *from, const size_t bytes) {
    typedef uint8_t bytes8 __attribute__((vector_size(8)));
    bytes8 pixels = {0};
    __builtin_memcpy(&pixels, from, bytes);
    return __builtin_convertvector(__builtin_shufflevector(pixels, pixels, 0, 1, 2, 2, 3, 4, 5, 5), pixel_pair);
}

INLINE pixel_pair weigh(pixel_pair pixels, int32_t first, int32_t second) {
    return pixels * (pixel_pair){first, first, first, first, second, second, second, second};
}

static void resize_rgb_row(
    const uint8_t *from, const ptrdiff_t *starts, const ptrdiff_t *counts, const int32_t *weights, ptrdiff_t taps, ptrdiff_t columns, uint8_t *to) {
    typedef uint8_t bytes4 __attribute__((vector_size(4)));
    for (ptrdiff_t column = 0; column < columns; column++, weights += taps, to += 3) {
        const uint8_t *pixel = from + 3 * starts[column];
        ptrdiff_t count = counts[column], tap = 0;
        pixel_pair sums = {0};
        for (; tap + 3 <= count; tap += 2) sums += weigh(load_pixels(pixel + 3 * tap, 8), weights[tap], weights[tap + 1]);
        if (tap + 2 == count) sums += weigh(load_pixels(pixel + 3 * tap, 6), weights[tap], weights[tap + 1]);
        if (tap + 1 == count) sums += weigh(load_pixels(pixel + 3 * tap, 3), weights[tap], 0);
        pixel_sums levels = __builtin_shufflevector(sums, sums, 0, 1, 2, 3) + __builtin_shufflevector(sums, sums, 4, 5, 6, 7);
        levels = (levels + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
        levels = __builtin_elementwise_min(__builtin_elementwise_max(levels, (pixel_sums){0}), (pixel_sums){0} + 255);
        bytes4 bytes = __builtin_convertvector(levels, bytes4);
        __builtin_memcpy(to, &bytes, 3);
    }
}
