// Exact nearest code. Codes lie in cells of CELL, each with the box that contains it; a cell is searched only if its box reaches
// closer than the best code so far.
//
// Distances are compared in fp32 with a tolerance that covers every rounding error, and whatever passes is decided in double
// precision, so the answer is that of a float64 search.

#define CELL 64
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

INLINE bool any_within(vfloat distance, float limit) { return __builtin_reduce_or(distance <= splat(limit)) != 0; }

static void search_cell(const float *z, ptrdiff_t d, const float *cell, nearest *best) {
    for (ptrdiff_t start = 0; start < CELL; start += VECTORS_AT_A_TIME * LANES) {
        vfloat distances[VECTORS_AT_A_TIME] = {{0}};
        for (ptrdiff_t j = 0; j < d; j++)
#pragma clang loop unroll(full)
            for (int v = 0; v < VECTORS_AT_A_TIME; v++) {
                vfloat difference = load(cell + j * CELL + start + v * LANES) - splat(z[j]);
                distances[v] = difference * difference + distances[v];
            }
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS_AT_A_TIME; v++) {
            if (!any_within(distances[v], best->limit)) continue;
            float near[LANES];
            store(near, distances[v]);
            for (int lane = 0; lane < LANES; lane++)
                if (near[lane] <= best->limit) consider(z, d, cell, start + v * LANES + lane, best);
        }
    }
}

/// Fills bounds[cells] with squared distances from z to the boxes; returns the nearest box.
INLINE ptrdiff_t bound_cells(const float *z, ptrdiff_t d, ptrdiff_t cells, const float *boxes, float *bounds) {
    vfloat lowest = splat(__builtin_inff());
    for (ptrdiff_t cell = 0; cell < cells; cell += LANES) {
        vfloat sum = {0};
        for (ptrdiff_t j = 0; j < d; j++) {
            const float *low = boxes + 2 * j * cells + cell, *high = low + cells;
            vfloat outside = maximum(maximum(load(low) - splat(z[j]), splat(z[j]) - load(high)), splat(0));
            sum = outside * outside + sum;
        }
        store(bounds + cell, sum);
        lowest = minimum(lowest, sum);
    }
    float least = __builtin_reduce_min(lowest);
    for (ptrdiff_t cell = 0; cell < cells; cell += LANES)
        if (any_within(load(bounds + cell), least))
            for (int lane = 0; lane < LANES; lane++)
                if (bounds[cell + lane] <= least) return cell + lane;
    return 0;
}

static void nearest_code(
    const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, ptrdiff_t cells, float *bounds,
    int32_t *found) {
    const float *codes = codebook + 2 * d * cells;
    ptrdiff_t cell_size = (d + 1) * CELL;
    for (ptrdiff_t i = 0; i < count; i++) {
        const float *z = vectors + i * stride * d;
        nearest best = {__builtin_inf(), 0, __builtin_inff()};
        ptrdiff_t first = bound_cells(z, d, cells, codebook, bounds);
        search_cell(z, d, codes + first * cell_size, &best);
        bounds[first] = __builtin_inff();
        for (ptrdiff_t start = 0; start < cells; start += LANES) {
            if (!any_within(load(bounds + start), best.limit)) continue;
            for (ptrdiff_t cell = start; cell < start + LANES; cell++)
                if (bounds[cell] <= best.limit) search_cell(z, d, codes + cell * cell_size, &best);
        }
        found[i * stride] = best.index;
    }
}
