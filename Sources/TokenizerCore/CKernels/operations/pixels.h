// Pictures on their way into a network.

/// Two parts of 1 / 127.5 = 2/255, whose bits repeat each eight. A byte times the first is exact, so that the sum is rounded once, and all 256
/// sums are the quotients.
#define LEVEL_HIGH 0x1.01p-7f
#define LEVEL_LOW 0x1.0101p-23f

static void centre_bytes(const uint8_t *restrict bytes, ptrdiff_t count, float *restrict to) {
    for (ptrdiff_t i = 0; i < count; i++) {
        float level = bytes[i];
        to[i] = (level * LEVEL_HIGH + level * LEVEL_LOW) - 1;
    }
}

INLINE void split_channels_of(const float *from, const ptrdiff_t c, ptrdiff_t count, ptrdiff_t plane, float *to) {
    for (ptrdiff_t i = 0; i < c; i++)
        for (ptrdiff_t x = 0; x < count; x++) to[i * plane + x] = from[x * c + i];
}

static void split_channels(const float *from, ptrdiff_t c, ptrdiff_t count, ptrdiff_t plane, float *to) {
    // Pictures have three, and steps of known length take half the time.
    if (c == 3)
        split_channels_of(from, 3, count, plane, to);
    else
        split_channels_of(from, c, count, plane, to);
}
