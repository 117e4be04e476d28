#include "KernelTable.h"

enum { PANEL = 32, CHANNELS_AT_A_TIME = 16 };

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

enum { MOST_POINTS = 6 };

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

/// G g Gᵀ for one 3×3 kernel; `points` rows of G.
static void transform_kernel(int points, const double G[][3], const float kernel[9], double u[MOST_POINTS * MOST_POINTS]) {
    double half[MOST_POINTS][3];
    for (int i = 0; i < points; i++)
        for (int j = 0; j < 3; j++) half[i][j] = G[i][0] * kernel[j] + G[i][1] * kernel[3 + j] + G[i][2] * kernel[6 + j];
    for (int i = 0; i < points; i++)
        for (int j = 0; j < points; j++)
            u[i * points + j] = half[i][0] * G[j][0] + half[i][1] * G[j][1] + half[i][2] * G[j][2];
}

void revq_pack_winograd_panel(bool is_enlarging, const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t panel, float *to) {
    enum { PANELS_IN_CHUNK = REVQ_WINOGRAD_CHUNK / PANEL };
    int points = is_enlarging ? 5 : 6;
    ptrdiff_t panels = (n + PANEL - 1) / PANEL, chunk = panel / PANELS_IN_CHUNK * PANELS_IN_CHUNK;
    ptrdiff_t panels_in_chunk = panels - chunk < PANELS_IN_CHUNK ? panels - chunk : PANELS_IN_CHUNK;
    to += (chunk * points * points + (panel - chunk)) * c * PANEL;
    for (ptrdiff_t channel = 0; channel < c; channel++)
        for (ptrdiff_t j = 0; j < PANEL; j++) {
            ptrdiff_t column = panel * PANEL + j;
            double u[MOST_POINTS * MOST_POINTS] = {0};
            if (column < n)
                transform_kernel(
                    points, is_enlarging ? enlarging_transform : plain_transform, weights + (column * c + channel) * 9, u);
            for (int i = 0; i < points * points; i++) to[(i * panels_in_chunk * c + channel) * PANEL + j] = (float)u[i];
        }
}
