#include "Patches.h"

#include <string.h>

/// The columns from..<until of a line of a patch that lie in the picture: there and in the patch they follow each other.
typedef struct {
    long from, until;
} span;

static inline span inside(long row, long h, long left, long w, long k) {
    long from = left < 0 ? -left : 0, until = w - left < k ? w - left : k;
    return row < 0 || row >= h || from > until ? (span){k, k} : (span){from, until};
}

void revq_gather_patches(
    const float *x, float *patches, long h, long w, long c, long k, long stride, long first, long last) {
    long reach = k / 2, wo = (w + stride - 1) / stride;
    for (long position = first; position < last; position++) {
        long top = position / wo * stride - reach, left = position % wo * stride - reach;
        for (long dy = 0; dy < k; dy++, patches += k * c) {
            span s = inside(top + dy, h, left, w, k);
            memset(patches, 0, (size_t)(s.from * c) * sizeof *x);
            if (s.from < s.until)
                memcpy(patches + s.from * c, x + ((top + dy) * w + left + s.from) * c, (size_t)((s.until - s.from) * c) * sizeof *x);
            memset(patches + s.until * c, 0, (size_t)((k - s.until) * c) * sizeof *x);
        }
    }
}

enum { PANEL = 32 };

/// A row of packed panels that is written from the left to the right.
typedef struct {
    float *next;
    /// Floats from the end of the row in one panel to its start in the next one, and what is left of the row in this one.
    long step, left;
} packed_row;

/// Appends `count` floats, or zeros where there are none.
static inline void append(packed_row *to, const float *from, long count) {
    while (count > 0) {
        long here = count < to->left ? count : to->left;
        // Of constant size where it is usual, so that no function is called.
        if (here == PANEL)
            from ? memcpy(to->next, from, PANEL * sizeof *from) : memset(to->next, 0, PANEL * sizeof *from);
        else
            for (long i = 0; i < here; i++) to->next[i] = from ? from[i] : 0;
        to->next += here;
        to->left -= here;
        count -= here;
        if (from) from += here;
        if (to->left == 0) *to = (packed_row){to->next + to->step, to->step, PANEL};
    }
}

void revq_pack_patches(
    const float *x, float *panels, long h, long w, long c, long k, long stride, long first, long last, long row, long rows) {
    long reach = k / 2, wo = (w + stride - 1) / stride;
    for (long position = first; position < last; position++, row++) {
        long top = position / wo * stride - reach, left = position % wo * stride - reach;
        packed_row to = {panels + row * PANEL, (rows - 1) * PANEL, PANEL};
        for (long dy = 0; dy < k; dy++) {
            span s = inside(top + dy, h, left, w, k);
            append(&to, 0, s.from * c);
            if (s.from < s.until) append(&to, x + ((top + dy) * w + left + s.from) * c, (s.until - s.from) * c);
            append(&to, 0, (k - s.until) * c);
        }
        if (to.left < PANEL) append(&to, 0, to.left);
    }
}

void revq_scatter_patches(
    const float *patches, float *dx, long h, long w, long c, long k, long stride, long first, long last) {
    long reach = k / 2, wo = (w + stride - 1) / stride;
    for (long position = first; position < last; position++) {
        long top = position / wo * stride - reach, left = position % wo * stride - reach;
        for (long dy = 0; dy < k; dy++, patches += k * c) {
            span s = inside(top + dy, h, left, w, k);
            if (s.from == s.until) continue;
            float *target = dx + ((top + dy) * w + left + s.from) * c;
            const float *from = patches + s.from * c;
            for (long i = 0; i < (s.until - s.from) * c; i++) target[i] += from[i];
        }
    }
}
