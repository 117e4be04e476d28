// Exact nearest code by looking at every code, without preparation: one vector in each lane, so that nothing is summed across lanes and
// nothing branches.
//
// What is compared is half the squared distance without the vector's own part, |c|²/2 - z·c, with one fused operation for each number
// of a code. Where the two best are further apart than rounding reaches, the better one is the answer of a float64 search; the few
// other vectors are searched again as in nearest_code.h.

/// Vectors that go through the codes together.
#define VECTORS_IN_SCAN 128
/// Of those, as many as stay in registers.
#define VECTORS_IN_BLOCK (2 * LANES)
/// Fewer than so many are searched one by one, not as a block that is mostly empty.
#define LEAST_IN_BLOCK (VECTORS_IN_BLOCK / 4)
/// Codes that all these vectors meet before the next ones are read.
#define CODES_IN_SCAN 256
#define CODES_AT_A_TIME 4

/// The best codes so far, a vector in each lane.
typedef struct {
    vfloat best, second;
    vbits index;
} ranking;

INLINE void rank_code(vfloat value, uint32_t code, ranking *ranking) {
    vbits is_better = (vbits)(value < ranking->best);
    vfloat loser = choose(is_better, ranking->best, value);
    ranking->second = choose((vbits)(loser < ranking->second), loser, ranking->second);
    ranking->best = choose(is_better, value, ranking->best);
    ranking->index = (is_better & ((vbits){0} + code)) | (~is_better & ranking->index);
}

/// Ranks `count` codes, at most CODES_AT_A_TIME, for the block z[d][VECTORS_IN_BLOCK] of negated vectors.
INLINE void rank_some(
    const float *z, ptrdiff_t d, const float *codes, const float *halves, uint32_t first, int count, ranking *rankings) {
    vfloat values[CODES_AT_A_TIME][2];
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) values[i][0] = values[i][1] = splat(halves[i]);
    for (ptrdiff_t j = 0; j < d; j++) {
        vfloat low = load(z + j * VECTORS_IN_BLOCK), high = load(z + j * VECTORS_IN_BLOCK + LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < count; i++) {
            vfloat x = splat(codes[i * d + j]);
            values[i][0] = low * x + values[i][0];
            values[i][1] = high * x + values[i][1];
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
        rank_code(values[i][0], first + (uint32_t)i, &rankings[0]);
        rank_code(values[i][1], first + (uint32_t)i, &rankings[1]);
    }
}

INLINE void rank_codes(
    const float *z, ptrdiff_t d, const float *codes, const float *halves, ptrdiff_t first, ptrdiff_t count, ranking *rankings) {
    ranking kept[2] = {rankings[0], rankings[1]};
    ptrdiff_t c = 0;
    for (; c + CODES_AT_A_TIME <= count; c += CODES_AT_A_TIME)
        rank_some(z, d, codes + c * d, halves + c, (uint32_t)(first + c), CODES_AT_A_TIME, kept);
    for (; c < count; c++) rank_some(z, d, codes + c * d, halves + c, (uint32_t)(first + c), 1, kept);
    rankings[0] = kept[0];
    rankings[1] = kept[1];
}

/// Fills z[d][VECTORS_IN_BLOCK] with negated vectors, zeros beyond the last, and squares with their squared lengths. `rows` holds a block.
INLINE void gather_vectors(
    const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, float *rows, float *z, float *squares) {
    // Vectors far apart in memory fall on the same places of the cache, so each is read once and as a whole.
    for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t j = 0; j < d; j++) rows[i * d + j] = vectors[i * stride * d + j];
    for (ptrdiff_t i = count * d; i < VECTORS_IN_BLOCK * d; i++) rows[i] = 0;
    for (ptrdiff_t j = 0; j < d; j++)
        for (int i = 0; i < VECTORS_IN_BLOCK; i++) z[j * VECTORS_IN_BLOCK + i] = -rows[i * d + j];
    for (int start = 0; start < VECTORS_IN_BLOCK; start += LANES) {
        vfloat sum = {0};
        for (ptrdiff_t j = 0; j < d; j++) {
            vfloat x = load(z + j * VECTORS_IN_BLOCK + start);
            sum = x * x + sum;
        }
        store(squares + start, sum);
    }
}

/// |c|²/2 for each of `count` codes.
INLINE void halve_squares(const float *codes, ptrdiff_t count, ptrdiff_t d, float *halves) {
    for (ptrdiff_t c = 0; c < count; c++) {
        float half = 0;
        for (ptrdiff_t j = 0; j < d; j++) half += codes[c * d + j] * (0.5f * codes[c * d + j]);
        halves[c] = half;
    }
}

/// Codes first..<first + CELL as a cell; places beyond the last code are infinite.
INLINE void gather_cell(const float *codebook, ptrdiff_t codes, ptrdiff_t d, ptrdiff_t first, float *cell) {
    ptrdiff_t count = codes - first < CELL ? codes - first : CELL;
    const float *from = codebook + first * d;
    int32_t indices[CELL];
    for (int lane = 0; lane < CELL; lane++) indices[lane] = (int32_t)first + lane;
    if (count == CELL) {
        for (ptrdiff_t j = 0; j < d; j++)
            for (int lane = 0; lane < CELL; lane++) cell[j * CELL + lane] = from[lane * d + j];
    } else {
        for (ptrdiff_t j = 0; j < d; j++)
            for (int lane = 0; lane < CELL; lane++) cell[j * CELL + lane] = lane < count ? from[lane * d + j] : __builtin_inff();
        for (ptrdiff_t lane = count; lane < CELL; lane++) indices[lane] = INT32_MAX;
    }
    __builtin_memcpy(cell + d * CELL, indices, sizeof indices);
}

/// Vectors that are searched one by one: those whose best code rounding might have chosen, and those of no block.
typedef struct {
    nearest best[VECTORS_IN_SCAN];
    ptrdiff_t vectors[VECTORS_IN_SCAN];
    ptrdiff_t count;
} doubtful;

INLINE void reopen(ptrdiff_t vector, float limit, doubtful *open) {
    open->best[open->count] = (nearest){__builtin_inf(), 0, limit};
    open->vectors[open->count++] = vector;
}

/// With u = 2^-24, a value errs by less than (2d + 2) u (|c|²/2 + |z| |c|). A code as near as the best one has |c| ≤ |z| + r, r being
/// the best one's distance and r² = |z|² + 2 · value; so |c|²/2 + |z| |c| ≤ 3 (|z|² + r²) = 6 (|z|² + value), and two values err
/// together by less than (24d + 24) u (|z|² + value). A third more covers the errors of this bound itself. What underflows adds less
/// than 2^-126 for each operation, and between 0 and 2^120 no such code's value overflows.
INLINE void settle(
    const ranking *ranking, const float *squares, ptrdiff_t d, ptrdiff_t first, ptrdiff_t count, ptrdiff_t stride, int32_t *found,
    doubtful *open) {
    float share = (float)(2 * d + 4) * 0x1p-20f, least = (float)(d + 1) * 0x1p-120f, largest = 0x1p120f;
    vfloat size = load(squares) + ranking->best, tolerance = size * share + least;
    vbits is_bounded = (vbits)(size >= splat(0)) & (vbits)(size < splat(largest));
    vbits is_certain = is_bounded & (vbits)(ranking->second - ranking->best > tolerance);
    for (ptrdiff_t lane = 0; lane < count; lane++) found[(first + lane) * stride] = (int32_t)ranking->index[lane];
    if (__builtin_reduce_and(is_certain) != 0) return;
    for (ptrdiff_t lane = 0; lane < count; lane++) {
        if (is_certain[lane] != 0) continue;
        float limit = is_bounded[lane] != 0 ? (size[lane] + ranking->best[lane]) * (1 + share) + 4 * tolerance[lane] : __builtin_inff();
        reopen(first + lane, limit, open);
    }
}

INLINE void scan_codes_of(
    const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, ptrdiff_t codes, float *scratch,
    int32_t *found) {
    float squares[VECTORS_IN_SCAN], halves[CODES_IN_SCAN];
    float *z = scratch, *cell = scratch + VECTORS_IN_SCAN * d;
    for (ptrdiff_t start = 0; start < count; start += VECTORS_IN_SCAN) {
        ptrdiff_t together = count - start < VECTORS_IN_SCAN ? count - start : VECTORS_IN_SCAN;
        ranking rankings[VECTORS_IN_SCAN / LANES];
        for (int i = 0; i < VECTORS_IN_SCAN / LANES; i++)
            rankings[i] = (ranking){splat(__builtin_inff()), splat(__builtin_inff()), {0}};
        ptrdiff_t rest = together % VECTORS_IN_BLOCK, ranked = rest < LEAST_IN_BLOCK ? together - rest : together;
        for (ptrdiff_t i = 0; i < ranked; i += VECTORS_IN_BLOCK) {
            ptrdiff_t some = ranked - i < VECTORS_IN_BLOCK ? ranked - i : VECTORS_IN_BLOCK;
            gather_vectors(vectors + (start + i) * stride * d, some, stride, d, cell, z + i * d, squares + i);
        }
        for (ptrdiff_t first = 0; ranked > 0 && first < codes; first += CODES_IN_SCAN) {
            ptrdiff_t some = codes - first < CODES_IN_SCAN ? codes - first : CODES_IN_SCAN;
            halve_squares(codebook + first * d, some, d, halves);
            for (ptrdiff_t i = 0; i < ranked; i += VECTORS_IN_BLOCK)
                rank_codes(z + i * d, d, codebook + first * d, halves, first, some, rankings + i / LANES);
        }
        doubtful open;
        open.count = 0;
        for (ptrdiff_t i = 0; i < ranked; i += LANES) {
            ptrdiff_t some = ranked - i < LANES ? ranked - i : LANES;
            settle(&rankings[i / LANES], squares + i, d, start + i, some, stride, found, &open);
        }
        for (ptrdiff_t i = ranked; i < together; i++) reopen(start + i, __builtin_inff(), &open);
        for (ptrdiff_t first = 0; open.count > 0 && first < codes; first += CELL) {
            gather_cell(codebook, codes, d, first, cell);
            for (ptrdiff_t i = 0; i < open.count; i++) search_cell(vectors + open.vectors[i] * stride * d, d, cell, &open.best[i]);
        }
        for (ptrdiff_t i = 0; i < open.count; i++) found[open.vectors[i] * stride] = open.best[i].index;
    }
}

static void scan_codes(
    const float *vectors, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t d, const float *codebook, ptrdiff_t codes, float *scratch,
    int32_t *found) {
    // Loops of known length for the usual sizes.
    if (d == 4)
        scan_codes_of(vectors, count, stride, 4, codebook, codes, scratch, found);
    else if (d == 8)
        scan_codes_of(vectors, count, stride, 8, codebook, codes, scratch, found);
    else
        scan_codes_of(vectors, count, stride, d, codebook, codes, scratch, found);
}
