// Where the bf16 copies of pixels and weights lie; shared by packing, scratch sizes and the kernels.
#pragma once

#include "BFloat16Kernels.h"

/// Channels of a plane, and the depth of a tile product.
enum { BFLOAT16_DEPTH = 32 };
/// Pixels, and output channels, of a tile; two tiles of each are formed together.
enum { BFLOAT16_TILE = 16, BFLOAT16_BLOCK = 2 * BFLOAT16_TILE };
/// Numbers of the weights for one step: BFLOAT16_DEPTH inputs of one tap, BFLOAT16_BLOCK outputs.
enum { BFLOAT16_STEP = BFLOAT16_DEPTH * BFLOAT16_BLOCK };

/// The lines that a piece reads, rounded to bf16: [planes][residues][lines][pitch][32].
///
/// Lines are counted from the first one above the piece and sorted by their remainder modulo the stride, so that from one line of
/// results to the next every tap moves by one stored line. A line's zero padding on the right is the next line's on the left. Thus
/// results are numbered through all lines, pitch / stride to a line, and tap (dy, dx) of result q lies at q · stride plus a
/// constant: any 16 neighbouring results are a tile, and the few that fall into the padding are dropped.
typedef struct {
    ptrdiff_t padding;
    ptrdiff_t planes;
    /// Stored lines with one remainder.
    ptrdiff_t lines;
    /// Stored pixels of a line.
    ptrdiff_t pitch;
    /// Numbers of a plane.
    ptrdiff_t plane;
    /// Tile products for one tile of results.
    ptrdiff_t steps;
    /// Passes over the planes, each with its own taps and results: 4 when enlarging.
    ptrdiff_t passes;
} bfloat16_layout;

static inline ptrdiff_t bfloat16_steps(bool is_enlarging, ptrdiff_t c, ptrdiff_t size) {
    return (c + BFLOAT16_DEPTH - 1) / BFLOAT16_DEPTH * (is_enlarging ? 4 : size * size);
}

static inline bfloat16_layout bfloat16_layout_of(const revq_bfloat16_picture *p, ptrdiff_t lines) {
    bfloat16_layout l;
    l.padding = p->size / 2;
    l.planes = (p->c + BFLOAT16_DEPTH - 1) / BFLOAT16_DEPTH;
    l.lines = lines - 1 + (p->size + p->stride - 1) / p->stride;
    l.pitch = (p->w + l.padding + p->stride - 1) / p->stride * p->stride;
    // The last tile reads beyond the last line. An odd number of cache lines, so that planes do not share their sets of the cache.
    ptrdiff_t pixels = p->stride * l.lines * l.pitch + BFLOAT16_BLOCK * p->stride + p->size;
    l.plane = (pixels | 1) * BFLOAT16_DEPTH;
    l.steps = bfloat16_steps(p->is_enlarging, p->c, p->size);
    l.passes = p->is_enlarging ? 4 : 1;
    return l;
}
