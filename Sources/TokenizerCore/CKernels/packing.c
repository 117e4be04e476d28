#include "KernelTable.h"

enum { PANEL = 32, CHANNELS_AT_A_TIME = 16, ROWS_AT_A_TIME = 16 };

void revq_pack_panel(const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t taps, ptrdiff_t panel, float *to) {
    // A few channels at a time, so that the lines written for one column are still cached for the next.
    for (ptrdiff_t start = 0; start < c; start += CHANNELS_AT_A_TIME) {
        ptrdiff_t end = start + CHANNELS_AT_A_TIME < c ? start + CHANNELS_AT_A_TIME : c;
        for (ptrdiff_t j = 0; j < PANEL; j++) {
            ptrdiff_t column = panel * PANEL + j;
            for (ptrdiff_t channel = start; channel < end; channel++)
                for (ptrdiff_t tap = 0; tap < taps; tap++)
                    to[(tap * c + channel) * PANEL + j] = column < n ? weights[(column * c + channel) * taps + tap] : 0;
        }
    }
}

void revq_pack_rows(const float *rows, ptrdiff_t k, ptrdiff_t n, ptrdiff_t first, ptrdiff_t last, float *to) {
    // All panels of a few rows at a time: in a panel of its own, every row would be on another page.
    for (ptrdiff_t start = first; start < last; start += ROWS_AT_A_TIME) {
        ptrdiff_t end = last - start < ROWS_AT_A_TIME ? last : start + ROWS_AT_A_TIME;
        for (ptrdiff_t column = 0; column < n; column += PANEL) {
            ptrdiff_t count = n - column < PANEL ? n - column : PANEL;
            for (ptrdiff_t row = start; row < end; row++) {
                float *target = to + column * k + row * PANEL;
                for (ptrdiff_t j = 0; j < count; j++) target[j] = rows[row * n + column + j];
                for (ptrdiff_t j = count; j < PANEL; j++) target[j] = 0;
            }
        }
    }
}

enum { MOST_ROWS = 6 };

/// G of F(4×4, 3×3) for the points 0, 1, −1, 2, −2, ∞.
static const double plain_transform[6][3] = {
    {1.0 / 4, 0, 0},
    {-1.0 / 6, -1.0 / 6, -1.0 / 6},
    {-1.0 / 6, 1.0 / 6, -1.0 / 6},
    {1.0 / 24, 1.0 / 12, 1.0 / 6},
    {1.0 / 24, -1.0 / 12, 1.0 / 6},
    {0, 0, 1},
};

/// The same after enlarging: point −1 has nothing to multiply, point 1 twice c − 4b, points 2 and −2 thrice and minus c − b; of
/// these two products only the sum and the difference are used.
static const double enlarging_transform[5][3] = {
    {1.0 / 4, 0, 0}, {-1.0 / 3, -1.0 / 3, -1.0 / 3}, {1.0 / 12, 1.0 / 3, 1.0 / 3}, {1.0 / 6, 1.0 / 6, 2.0 / 3}, {0, 0, 1},
};

/// G of F(4, 2) for the points 0, 1, −1, 2, ∞ and the outer taps, then the middle tap as it is.
static const double halving_transform[6][3] = {
    {1.0 / 2, 0, 0}, {-1.0 / 2, 0, -1.0 / 2}, {-1.0 / 6, 0, 1.0 / 6}, {1.0 / 6, 0, 1.0 / 3}, {0, 0, 1}, {0, 1, 0},
};

/// G and how many rows it has.
typedef struct {
    const double (*rows)[3];
    int count;
} kernel_transform;

static kernel_transform transform_for(revq_winograd kind) {
    switch (kind) {
    case REVQ_PLAIN_PICTURE:
    case REVQ_FIVE_BY_FIVE: return (kernel_transform){plain_transform, 6};
    case REVQ_ENLARGING: return (kernel_transform){enlarging_transform, 5};
    case REVQ_HALVING: return (kernel_transform){halving_transform, 6};
    }
}

/// 3×3 kernels that a kernel is made of.
static int kernels_in(revq_winograd kind) { return kind == REVQ_FIVE_BY_FIVE ? 4 : 1; }

int revq_winograd_weights(revq_winograd kind) {
    int count = transform_for(kind).count;
    return count * count * kernels_in(kind);
}

/// One number of the kernels of all columns of a panel, side by side, so that several are transformed at once.
typedef double numbers[PANEL];

/// Reads one of the 3×3 kernels that each column's kernel is made of, from the top left, from the top right …, with zeros for rows and columns
/// that it does not have, and for columns of the panel beyond `count`. Kernels are `step` floats apart.
static void read_kernels(revq_winograd kind, const float *kernels, ptrdiff_t step, ptrdiff_t count, ptrdiff_t part, numbers to[9]) {
    int side = kind == REVQ_FIVE_BY_FIVE ? 5 : 3, top = (int)part / 2 * 3, left = (int)part % 2 * 3;
    for (int i = 0; i < 9; i++) {
        int row = top + i / 3, column = left + i % 3;
        bool is_there = row < side && column < side;
        for (ptrdiff_t j = 0; j < PANEL; j++) to[i][j] = is_there && j < count ? kernels[j * step + row * side + column] : 0;
    }
}

/// A row of G times three numbers.
static inline void combine(const double g[3], const double *first, const double *second, const double *third, double *to) {
    for (int j = 0; j < PANEL; j++) to[j] = g[0] * first[j] + g[1] * second[j] + g[2] * third[j];
}

/// G g Gᵀ for 3×3 kernels.
static void transform_kernels(kernel_transform g, const numbers kernel[9], numbers *u) {
    numbers half[MOST_ROWS][3];
    for (int i = 0; i < g.count; i++)
        for (int j = 0; j < 3; j++) combine(g.rows[i], kernel[j], kernel[3 + j], kernel[6 + j], half[i][j]);
    for (int i = 0; i < g.count; i++)
        for (int j = 0; j < g.count; j++) combine(g.rows[j], half[i][0], half[i][1], half[i][2], u[i * g.count + j]);
}

void revq_pack_winograd_panel(revq_winograd kind, const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t panel, float *to) {
    enum { PANELS_IN_CHUNK = REVQ_WINOGRAD_CHUNK / PANEL };
    kernel_transform g = transform_for(kind);
    ptrdiff_t count = g.count * g.count, depth = kernels_in(kind) * c, taps = kind == REVQ_FIVE_BY_FIVE ? 25 : 9;
    ptrdiff_t panels = (n + PANEL - 1) / PANEL, chunk = panel / PANELS_IN_CHUNK * PANELS_IN_CHUNK, columns = n - panel * PANEL;
    ptrdiff_t panels_in_chunk = panels - chunk < PANELS_IN_CHUNK ? panels - chunk : PANELS_IN_CHUNK;
    to += (chunk * count + (panel - chunk)) * depth * PANEL;
    for (ptrdiff_t row = 0; row < depth; row++) {
        numbers kernel[9], u[MOST_ROWS * MOST_ROWS];
        read_kernels(kind, weights + (panel * PANEL * c + row % c) * taps, c * taps, columns, row / c, kernel);
        transform_kernels(g, kernel, u);
        for (ptrdiff_t i = 0; i < count; i++)
            for (int j = 0; j < PANEL; j++) to[(i * panels_in_chunk * depth + row) * PANEL + j] = (float)u[i][j];
    }
}

void revq_pack_pixel_weights(const int32_t *weights, ptrdiff_t count, ptrdiff_t before, ptrdiff_t groups, int16_t *to) {
    enum { HALF = REVQ_PIXEL_WEIGHTS / 2, LOWER_BITS = REVQ_WEIGHT_FRACTION_BITS / 2 };
    for (ptrdiff_t i = 0; i < groups * REVQ_PIXEL_WEIGHTS; i++) to[i] = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        ptrdiff_t tap = before + i, place = tap % REVQ_PIXELS_TOGETHER;
        int16_t *pair = to + tap / REVQ_PIXELS_TOGETHER * REVQ_PIXEL_WEIGHTS + place / 2 * (HALF / 2) + place % 2;
        for (int colour = 0; colour < 3; colour++) {
            pair[2 * colour] = (int16_t)(weights[i] >> LOWER_BITS);
            pair[HALF + 2 * colour] = (int16_t)(weights[i] & ((1 << LOWER_BITS) - 1));
        }
    }
}
