// Convolution with both factors rounded to bf16 and fp32 sums, in blocks of 32 pixels × 32 output channels.
//
// The including file has defined LANES as 16 and what differs between the units:
//   begin_tiles, end_tiles   around the use of the unit on a thread;
//   end_streams              behind stores around the caches, before others may read them;
//   store_rounded            32 numbers, the lower 16 first, as bf16;
//   multiply_block           one block of sums.
// A block's pixels are read from the layout of bfloat16_layout.h, its weights in one stream from front to back.
//
// Winograd's algorithm with products in bf16 was weighed and left out. F(4×4, 3×3) makes ten times the error: 2.4 to 2.6e-2 (relative, L2; 128 and
// 512 channels of random numbers) where direct sums have 2.4e-3. F(2×2, 3×3) has 3.8 to 4.0e-3, but moves 16 numbers for four pixels where F(4×4)
// moves 36 for sixteen. And where there is AMX, F(4×4)'s transforms alone take longer, or not much less, than the whole convolution does here:
// 17.0 of 16.9 ms for 128 channels at 256², 9.1 of 13.8 for 256 at 128², 4.9 of 13.3 for 512 at 64² (one core of an Intel Xeon, model 207).

/// Rounds 32 channels of a pixel, or the first `count` of them with zeros after.
INLINE void round_channels(const float *x, ptrdiff_t count, uint16_t *to) {
    vfloat low = count >= LANES ? load(x) : load_first(x, count);
    vfloat high = count >= 2 * LANES ? load(x + LANES) : count > LANES ? load_first(x + LANES, count - LANES) : splat(0);
    store_rounded(low, high, to);
}

INLINE void clear_pixels(uint16_t *to, ptrdiff_t count) {
    __builtin_memset(to, 0, (size_t)(count * BFLOAT16_DEPTH) * sizeof *to);
}

/// Fills the planes with the lines that results first..<last need.
static void round_lines(
    const revq_bfloat16_picture *p, const bfloat16_layout *l, const float *x, ptrdiff_t first, uint16_t *planes) {
    for (ptrdiff_t stored = 0; stored < p->stride * l->lines; stored++) {
        ptrdiff_t line = stored % l->lines * p->stride + stored / l->lines + first * p->stride - l->padding;
        bool is_inside = line >= 0 && line < p->h;
        uint16_t *to = planes + stored * l->pitch * BFLOAT16_DEPTH;
        for (ptrdiff_t plane = 0; plane < l->planes; plane++) {
            clear_pixels(to + plane * l->plane, is_inside ? l->padding : l->pitch);
            ptrdiff_t end = l->padding + p->w;
            if (is_inside) clear_pixels(to + plane * l->plane + end * BFLOAT16_DEPTH, l->pitch - end);
        }
        if (!is_inside) continue;
        for (ptrdiff_t column = 0; column < p->w; column++) {
            const float *pixel = x + (line * p->w + column) * p->c;
            uint16_t *target = to + (l->padding + column) * BFLOAT16_DEPTH;
            for (ptrdiff_t c = 0; c < p->c; c += BFLOAT16_DEPTH, target += l->plane) round_channels(pixel + c, p->c - c, target);
        }
    }
    ptrdiff_t used = p->stride * l->lines * l->pitch;
    for (ptrdiff_t plane = 0; plane < l->planes; plane++)
        clear_pixels(planes + plane * l->plane + used * BFLOAT16_DEPTH, l->plane / BFLOAT16_DEPTH - used);
}

/// Where the pixels of each step lie, from result 0 on, in the order of the weights. `pass` is the place of the result among the
/// four that a pixel becomes.
static void place_steps(const revq_bfloat16_picture *p, const bfloat16_layout *l, ptrdiff_t pass, ptrdiff_t *steps) {
    ptrdiff_t size = p->is_enlarging ? 2 : p->size, down = pass / 2, right = pass % 2;
    for (ptrdiff_t plane = 0; plane < l->planes; plane++)
        for (ptrdiff_t dy = down; dy < down + size; dy++)
            for (ptrdiff_t dx = right; dx < right + size; dx++)
                *steps++ = plane * l->plane + ((dy % p->stride * l->lines + dy / p->stride) * l->pitch + dx) * BFLOAT16_DEPTH;
}

/// More bytes of results than this do not stay in the second-level cache.
#define STREAMED_BYTES (1 << 20)

/// The results of one pass and one panel of 32 channels, on their way from blocks of sums to their places.
///
/// Results that the caches could not keep until they are read go around them: that saves reading the lines they overwrite, and 10
/// to 30 % of the time.
typedef struct {
    /// Results to a stored line, and how many of them exist.
    ptrdiff_t pitch, width;
    /// The first result; from a result to the next, and from a line to the next.
    float *y;
    ptrdiff_t step, line_step;
    /// Channels, at most 32, and their bias.
    ptrdiff_t columns;
    vfloat bias[2];
    revq_activation activation;
    /// Whether the results go around the caches.
    bool is_streaming;
    /// The result that comes next.
    ptrdiff_t line, column;
} result_writer;

INLINE void write_results(result_writer *r, const float *sums, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++, sums += BFLOAT16_BLOCK) {
        if (r->column < r->width) {
            float *target = r->y + r->line * r->line_step + r->column * r->step;
            for (int v = 0; v < 2; v++) {
                ptrdiff_t left = r->columns - v * LANES;
                vfloat result = activated(load(sums + v * LANES) + r->bias[v], r->activation);
                if (r->is_streaming)
                    __builtin_nontemporal_store(result, (vfloat *)(target + v * LANES));
                else if (left >= LANES)
                    store(target + v * LANES, result);
                else if (left > 0)
                    store_first(target + v * LANES, result, left);
            }
        }
        if (++r->column == r->pitch) {
            r->column = 0;
            r->line++;
        }
    }
}

static void convolve_picture(
    const revq_bfloat16_picture *p, const float *x, ptrdiff_t first, ptrdiff_t last, const uint16_t *weights, ptrdiff_t n,
    ptrdiff_t first_column, ptrdiff_t last_column, float *y, const float *bias, revq_activation activation, void *scratch) {
    bfloat16_layout l = bfloat16_layout_of(p, last - first);
    uint16_t *planes = scratch;
    ptrdiff_t *steps = (ptrdiff_t *)(planes + l.planes * l.plane);
    round_lines(p, &l, x, first, planes);

    const ptrdiff_t scale = p->is_enlarging ? 2 : 1, width = (p->w + p->stride - 1) / p->stride, pitch = l.pitch / p->stride;
    const ptrdiff_t count = (last - first - 1) * pitch + width, blocks = (count + BFLOAT16_BLOCK - 1) / BFLOAT16_BLOCK;
    const ptrdiff_t results = (p->h + p->stride - 1) / p->stride * width * scale * scale * n;
    const bool is_streaming =
        n % BFLOAT16_BLOCK == 0 && (uintptr_t)y % 64 == 0 && results * (ptrdiff_t)sizeof(float) >= STREAMED_BYTES;
    // Every block asks for its share of the weights that come next.
    const ptrdiff_t ahead = (BFLOAT16_STEP + blocks - 1) / blocks;
    float sums[BFLOAT16_BLOCK * BFLOAT16_BLOCK] __attribute__((aligned(64)));
    begin_tiles();
    for (ptrdiff_t pass = 0; pass < l.passes; pass++) {
        place_steps(p, &l, pass, steps);
        for (ptrdiff_t column = first_column; column < last_column; column += BFLOAT16_BLOCK) {
            ptrdiff_t columns = last_column - column < BFLOAT16_BLOCK ? last_column - column : BFLOAT16_BLOCK;
            result_writer writer = {
                .pitch = pitch, .width = width, .step = scale * n, .line_step = scale * scale * width * n, .columns = columns,
                .y = y + ((scale * first + pass / 2) * scale * width + pass % 2) * n + column, .activation = activation,
                .is_streaming = is_streaming};
            for (int v = 0; v < 2; v++) {
                ptrdiff_t left = columns - v * LANES;
                writer.bias[v] = !bias || left <= 0 ? splat(0) : load_first(bias + column + v * LANES, left < LANES ? left : LANES);
            }
            const uint16_t *panel = weights + (column / BFLOAT16_BLOCK * l.passes + pass) * l.steps * BFLOAT16_STEP;
            const uint16_t *next = panel + l.passes * l.steps * BFLOAT16_STEP;
            for (ptrdiff_t q = 0; q < count; q += BFLOAT16_BLOCK, next += ahead * l.steps) {
                ptrdiff_t rows = count - q < BFLOAT16_BLOCK ? count - q : BFLOAT16_BLOCK;
                const uint16_t *pixels = planes + q * p->stride * BFLOAT16_DEPTH;
                multiply_block(rows, columns, pixels, p->stride * BFLOAT16_DEPTH, steps, l.steps, panel, next, ahead, sums);
                write_results(&writer, sums, rows);
            }
        }
    }
    end_tiles();
    // Others may read the results as soon as this returns; stores that go around the caches are not ordered by themselves.
    if (is_streaming) end_streams();
}
