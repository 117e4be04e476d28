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
