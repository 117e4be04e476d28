// Exact nearest code. Codes lie in cells of CELL, each with the box that contains it, and cells in regions of CELLS_IN_REGION, each with
// the box that contains theirs; a region's cells are bounded, and a cell is searched, only if its box reaches closer than the best code so far.
//
// Distances are compared in fp32 with a tolerance that covers every rounding error, and whatever passes is decided in double
// precision, so the answer is that of a float64 search.

#define CELL 64
#define CELLS_IN_REGION 16
#define VECTORS_AT_A_TIME 4

typedef struct {
    double distance;
    int32_t index;
    /// No code with a larger fp32 distance can be nearer than `distance`.
    float limit;
} nearest;

/// The fp32 distance and box distance of d terms err by less than (d + 3) · 2^-24 relative, or by less than the smallest normal
/// number where terms underflow.
INLINE float limit_of(double distance, ptrdiff_t d) {
    return (float)(distance * (1.0 + (double)(d + 8) * 0x1p-22)) + __FLT_MIN__;
}

/// Decides about the code in place `lane` of a cell.
static void consider(const float *z, ptrdiff_t d, const float *cell, ptrdiff_t lane, nearest *best) {
    double distance = 0;
    for (ptrdiff_t j = 0; j < d; j++) {
        double difference = (double)z[j] - (double)cell[j * CELL + lane];
        distance += difference * difference;
    }
    int32_t index;
    __builtin_memcpy(&index, cell + d * CELL + lane, sizeof index);
    if (distance > best->distance || (distance == best->distance && index >= best->index)) return;
    best->distance = distance;
    best->index = index;
    best->limit = limit_of(distance, d);
}

typedef bool vflags __attribute__((ext_vector_type(LANES)));

/// A bit for each lane that is at most `limit`.
INLINE uint32_t lanes_within(vfloat distance, float limit) {
    vflags flags = __builtin_convertvector(distance <= splat(limit), vflags);
    uint32_t bits = 0;
    __builtin_memcpy(&bits, &flags, sizeof flags);
    return bits & ((1u << LANES) - 1);
}

static void search_cell(const float *z, ptrdiff_t d, const float *cell, nearest *best) {
    for (ptrdiff_t start = 0; start < CELL; start += VECTORS_AT_A_TIME * LANES) {
        vfloat distances[VECTORS_AT_A_TIME] = {{0}};
        for (ptrdiff_t j = 0; j < d; j++)
#pragma clang loop unroll(full)
            for (int v = 0; v < VECTORS_AT_A_TIME; v++) {
                vfloat difference = load(cell + j * CELL + start + v * LANES) - splat(z[j]);
                distances[v] = difference * difference + distances[v];
            }
        vfloat least = splat(__builtin_inff());
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS_AT_A_TIME; v++) least = lesser(distances[v], least);
        if (lanes_within(least, best->limit) == 0) continue;
        // Of these codes only those that rounding may have put behind the nearest one, which mostly is that one alone.
        float limit = limit_of(__builtin_reduce_min(least), d);
        if (best->limit < limit) limit = best->limit;
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS_AT_A_TIME; v++)
            for (uint32_t near = lanes_within(distances[v], limit); near != 0; near &= near - 1)
                consider(z, d, cell, start + v * LANES + __builtin_ctz(near), best);
    }
}

/// Squared distances from z to LANES of the boxes[d][low, high][count].
INLINE vfloat distances_to_boxes(const float *z, ptrdiff_t d, const float *boxes, ptrdiff_t count) {
    vfloat sum = {0};
    for (ptrdiff_t j = 0; j < d; j++) {
        const float *low = boxes + 2 * j * count, *high = low + count;
        vfloat outside = greater(greater(load(low) - splat(z[j]), splat(z[j]) - load(high)), splat(0));
        sum = outside * outside + sum;
    }
    return sum;
}

/// Fills distances[some] with those to the first `some` of the boxes, a multiple of 16; returns the nearest of them.
INLINE ptrdiff_t nearest_box(const float *z, ptrdiff_t d, const float *boxes, ptrdiff_t count, ptrdiff_t some, float *distances) {
    vfloat lowest = splat(__builtin_inff());
    for (ptrdiff_t box = 0; box < some; box += LANES) {
        vfloat distance = distances_to_boxes(z, d, boxes + box, count);
        store(distances + box, distance);
        lowest = lesser(distance, lowest);
    }
    float least = __builtin_reduce_min(lowest);
    for (ptrdiff_t box = 0; box < some; box += LANES) {
        uint32_t near = lanes_within(load(distances + box), least);
        if (near != 0) return box + __builtin_ctz(near);
    }
    return 0;
}

/// Searches the region whose first cell is `first`, all but the cell `done`.
INLINE void search_region(
    const float *z, ptrdiff_t d, const float *boxes, const float *codes, ptrdiff_t cells, ptrdiff_t first, ptrdiff_t done, nearest *best) {
    for (ptrdiff_t start = first; start < first + CELLS_IN_REGION; start += LANES)
        for (uint32_t near = lanes_within(distances_to_boxes(z, d, boxes + start, cells), best->limit); near != 0; near &= near - 1) {
            ptrdiff_t cell = start + __builtin_ctz(near);
            if (cell != done) search_cell(z, d, codes + cell * (d + 1) * CELL, best);
        }
}

static void nearest_code(
    const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, ptrdiff_t cells, float *bounds,
    int32_t *found) {
    ptrdiff_t regions = cells / CELLS_IN_REGION, boxed = (regions + 15) / 16 * 16;
    const float *boxes = codebook + 2 * d * boxed, *codes = boxes + 2 * d * cells;
    for (ptrdiff_t i = 0; i < count; i++) {
        const float *z = vectors + i * stride * d;
        nearest best = {__builtin_inf(), 0, __builtin_inff()};
        // A good guess leaves little to search. A vector that is not finite may be nearest to a region that only fills up.
        float inner[CELLS_IN_REGION];
        ptrdiff_t nearest_region = nearest_box(z, d, codebook, boxed, boxed, bounds);
        ptrdiff_t guess = nearest_region < regions ? CELLS_IN_REGION * nearest_region : 0;
        guess += nearest_box(z, d, boxes + guess, cells, CELLS_IN_REGION, inner);
        search_cell(z, d, codes + guess * (d + 1) * CELL, &best);
        for (ptrdiff_t start = 0; start < regions; start += LANES)
            for (uint32_t near = lanes_within(load(bounds + start), best.limit); near != 0; near &= near - 1) {
                ptrdiff_t region = start + __builtin_ctz(near);
                if (region >= regions || bounds[region] > best.limit) continue;
                search_region(z, d, boxes, codes, cells, CELLS_IN_REGION * region, guess, &best);
            }
        found[i * stride] = best.index;
    }
}
