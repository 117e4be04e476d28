// Every kernel of every table, held against the plain path of the machine that builds: `make aarch64-test`.
//
//     kernels write FILE      the results of this program's plain table
//     kernels compare FILE    those of all its tables, against the file
//
// Only C, because only CKernels differs from one architecture to the other; the rest is Swift and has its own tests.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

/// A kernel that is new wants a function here.
_Static_assert(sizeof(revq_kernel_table) == 35 * sizeof(void *), "the table has other kernels than are tested here");

enum { GUARD = 16, MOST = 1 << 17 };
static const float guard = 1234.5f;

/// Results are compared one by one as they are formed; the file has a count before each.
typedef struct {
    FILE *file;
    bool is_writing;
    const char *table;
    double worst;
    int failures;
} check;

static uint64_t seed;

/// Uniform in -1..<1, the same on every machine.
static float number(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(seed >> 32) / 2147483648.0f;
}

static float *numbers(ptrdiff_t count) {
    float *made = malloc((size_t)count * sizeof(float));
    for (ptrdiff_t i = 0; i < count; i++) made[i] = number();
    return made;
}

/// `count` numbers to be written over or added to, and a guard behind them.
static float *results(ptrdiff_t count) {
    float *made = numbers(count + GUARD);
    for (int i = 0; i < GUARD; i++) made[count + i] = guard;
    return made;
}

static void fail(check *c, const char *name, const char *what, double found, double expected) {
    printf("%s, %s: %s: %.9g, not %.9g\n", c->table, name, what, found, expected);
    c->failures++;
}

/// The largest distance between two results, as a share of the largest number expected. What is no number is farther than any.
static double worst_share(const float *found, const float *expected, ptrdiff_t count) {
    double largest = 0, distance = 0;
    for (ptrdiff_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)expected[i]));
    for (ptrdiff_t i = 0; i < count; i++) {
        double here = fabs((double)found[i] - (double)expected[i]);
        distance = here <= distance ? distance : isnan(here) ? INFINITY : here;
    }
    return distance / (largest > 0 ? largest : 1);
}

static void expect_guard(check *c, const char *name, const float *found, ptrdiff_t count) {
    for (int i = 0; i < GUARD; i++)
        if (found[count + i] != guard) fail(c, name, "written behind the end", found[count + i], guard);
}

/// Sums of some hundred products, and Winograd's, which are of numbers some ten times as large: 2e-5 of the largest number. `tolerance`
/// 0 is for what is exact. Results are released.
static void expect(check *c, const char *name, float *found, ptrdiff_t count, double tolerance) {
    expect_guard(c, name, found, count);
    static float expected[MOST];
    int64_t stored = count;
    if (count > MOST) abort();
    if (c->is_writing) {
        fwrite(&stored, sizeof stored, 1, c->file);
        fwrite(found, sizeof(float), (size_t)count, c->file);
    } else if (fread(&stored, sizeof stored, 1, c->file) != 1 || stored != count ||
               fread(expected, sizeof(float), (size_t)count, c->file) != (size_t)count) {
        fail(c, name, "results in the file", (double)stored, (double)count);
    } else {
        double share = worst_share(found, expected, count);
        if (share > tolerance) fail(c, name, "share of the largest number", share, tolerance);
        c->worst = fmax(c->worst, share);
    }
    free(found);
}

static const double rounded = 2e-5, exact = 0;
static const revq_activation activations[] = {REVQ_IDENTITY, REVQ_RELU, REVQ_SILU};

static void elementwise(const revq_kernel_table *k, check *c) {
    for (ptrdiff_t count = 1; count < 40; count += 6) {
        float *x = numbers(2 * count), *y = results(count);
        k->add(y, x, count);
        expect(c, "add", y, count, exact);
        for (int a = 0; a < 3; a++) {
            y = results(count);
            k->activate(x, count, activations[a], y);
            expect(c, "activate", y, count, rounded);
            y = results(count);
            k->activate_backward(x, y, count, activations[a]);
            expect(c, "activate_backward", y, count, rounded);
        }
        y = results(count);
        k->gate(x, 1, count, y);
        expect(c, "gate", y, count, rounded);
        free(x);
    }
}

static float *packed(const float *weights, ptrdiff_t n, ptrdiff_t c, ptrdiff_t taps) {
    ptrdiff_t panels = (n + 31) / 32;
    float *to = malloc((size_t)(panels * taps * c * 32) * sizeof(float));
    for (ptrdiff_t panel = 0; panel < panels; panel++) revq_pack_panel(weights, n, c, taps, panel, to + panel * taps * c * 32);
    return to;
}

/// Rows around those of a tile, depths around those of a part, columns around those of vectors and panels.
static void products(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][3] = {{1, 1, 1}, {5, 3, 17}, {13, 33, 300}, {14, 32, 16}, {15, 8, 257}, {29, 67, 40}, {130, 70, 33}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ptrdiff_t m = shapes[i][0], n = shapes[i][1], depth = shapes[i][2];
        float *a = numbers(m * depth), *weights = numbers(n * depth), *bias = numbers(n), *y = results(m * n);
        float *panels = packed(weights, n, depth, 1);
        k->multiply(m, n, depth, a, depth, panels, y, n, bias, activations[i % 3]);
        expect(c, "multiply", y, m * n, rounded);
        y = results(m * n);
        k->add_transposed_product(m, n, depth, a, m, panels, y, n);
        expect(c, "add_transposed_product", y, m * n, rounded);
        free(a), free(weights), free(bias), free(panels);
    }
}

static void convolutions(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][4] = {{1, 1, 1, 1}, {1, 7, 3, 16}, {5, 1, 16, 33}, {6, 7, 16, 40}, {9, 10, 20, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (ptrdiff_t size = 1; size <= 5; size += 2)
            for (ptrdiff_t stride = 1; stride <= 2; stride++) {
                ptrdiff_t h = shapes[i][0], w = shapes[i][1], in = shapes[i][2], n = shapes[i][3];
                ptrdiff_t pixels = 2 * ((h + stride - 1) / stride) * ((w + stride - 1) / stride);
                float *x = numbers(2 * h * w * in), *weights = numbers(n * in * size * size), *bias = numbers(n);
                float *y = results(pixels * n), *panels = packed(weights, n, in, size * size);
                k->convolve(x, h, w, in, size, stride, 0, pixels, panels, n, y, n, bias, activations[i % 3]);
                expect(c, "convolve", y, pixels * n, rounded);
                free(x), free(weights), free(bias), free(panels);
            }
}

static void winograd(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][4] = {{1, 1, 16, 1}, {4, 4, 16, 32}, {9, 7, 32, 33}, {8, 13, 272, 130}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int kind = REVQ_PLAIN_PICTURE; kind <= REVQ_FIVE_BY_FIVE; kind++) {
            ptrdiff_t h = shapes[i][0], w = shapes[i][1], in = shapes[i][2], n = shapes[i][3], taps = 9;
            if (kind == REVQ_FIVE_BY_FIVE) in = in / 32 * 32 + 32, taps = 25;
            ptrdiff_t ho = kind == REVQ_ENLARGING ? 2 * h : kind == REVQ_HALVING ? (h + 1) / 2 : h;
            ptrdiff_t wo = kind == REVQ_ENLARGING ? 2 * w : kind == REVQ_HALVING ? (w + 1) / 2 : w;
            ptrdiff_t tiles = 2 * ((ho + 3) / 4) * ((wo + 3) / 4), panels = (n + 31) / 32;
            float *x = numbers(2 * h * w * in), *weights = numbers(n * in * taps), *bias = numbers(n), *y = results(2 * ho * wo * n);
            float *u = malloc((size_t)(revq_winograd_weights(kind) * in * 32 * panels) * sizeof(float));
            for (ptrdiff_t panel = 0; panel < panels; panel++) revq_pack_winograd_panel(kind, weights, n, in, panel, u);
            float *scratch = malloc((size_t)k->winograd_scratch(kind, in, tiles) * sizeof(float));
            k->convolve_winograd(kind, x, h, w, in, 0, tiles, u, n, 0, n, y, bias, activations[i % 3], scratch);
            expect(c, "convolve_winograd", y, 2 * ho * wo * n, rounded);
            free(x), free(weights), free(bias), free(u), free(scratch);
        }
}

static void winograd_gradient(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][4] = {{1, 1, 16, 1}, {4, 4, 16, 32}, {9, 7, 32, 33}, {34, 38, 48, 70}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ptrdiff_t h = shapes[i][0], w = shapes[i][1], in = shapes[i][2], n = shapes[i][3];
        ptrdiff_t tiles = 2 * ((h + 3) / 4) * ((w + 3) / 4), half = in / 32 * 16;
        float *x = numbers(2 * h * w * in), *dy = numbers(2 * h * w * n), *gradient = results(n * 9 * in);
        float *scratch = malloc((size_t)k->winograd_gradient_scratch(n, in - half) * sizeof(float));
        // Columns in two pieces, the first of which may be empty.
        if (half > 0) k->add_winograd_gradient(x, dy, h, w, in, n, 0, tiles, 0, half, gradient, scratch);
        k->add_winograd_gradient(x, dy, h, w, in, n, 0, tiles, half, in, gradient, scratch);
        expect(c, "add_winograd_gradient", gradient, n * 9 * in, rounded);
        free(x), free(dy), free(scratch);
    }
}

static void depthwise(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][3] = {{1, 1, 2}, {3, 5, 6}, {7, 9, 34}, {6, 16, 64}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (ptrdiff_t size = 3; size <= 5; size += 2) {
            ptrdiff_t h = shapes[i][0], w = shapes[i][1], n = shapes[i][2], all = 2 * h * w * n;
            float *x = numbers(all), *taps = numbers(size * size * n), *bias = numbers(n), *dy = numbers(all), *halves = numbers(all);
            for (int is_gated = 0; is_gated < 2; is_gated++) {
                ptrdiff_t share = is_gated ? n / 2 : n;
                float *y = results(2 * h * w * share), *dx = results(all), *dtaps = results(size * size * n), *dbias = results(n);
                k->convolve_depthwise(x, h, w, n, size, taps, bias, is_gated, 0, 2 * h, y);
                expect(c, "convolve_depthwise", y, 2 * h * w * share, rounded);
                k->depthwise_backward(
                    x, is_gated ? halves : NULL, dy, 2, h, w, n, size, taps, activations[i % 3], 0, share, dx, dtaps, dbias);
                expect(c, "depthwise_backward, pictures", dx, all, rounded);
                expect(c, "depthwise_backward, weights", dtaps, size * size * n, rounded);
                expect(c, "depthwise_backward, bias", dbias, n, rounded);
            }
            free(x), free(taps), free(bias), free(dy), free(halves);
        }
}

static void pooling(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][4] = {{3, 3, 1, 1}, {5, 7, 18, 1}, {6, 9, 33, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (ptrdiff_t size = 2; size <= 3; size++) {
            ptrdiff_t h = shapes[i][0], w = shapes[i][1], n = shapes[i][2], stride = shapes[i][3];
            // The last neighbourhoods may reach beyond the end.
            ptrdiff_t ho = (h - size + stride - 1) / stride + 1, wo = (w - size + stride - 1) / stride + 1, pixels = 2 * ho * wo;
            float *x = numbers(2 * h * w * n), *dy = numbers(pixels * n), *y = results(pixels * n), *dx = results(2 * h * w * n);
            k->pool_maximum(x, h, w, n, size, stride, ho, wo, 0, pixels, y);
            k->pool_maximum_backward(x, h, w, n, size, stride, ho, wo, y, dy, 0, pixels, dx);
            expect(c, "pool_maximum_backward", dx, 2 * h * w * n, rounded);
            expect(c, "pool_maximum", y, pixels * n, exact);
            free(x), free(dy);
        }
}

static void rows(const revq_kernel_table *k, check *c) {
    // Of one number a norm leaves the sign, whose gradient is nothing but rounding.
    for (ptrdiff_t width = 2; width < 80; width += 13) {
        const ptrdiff_t count = 5;
        float *x = numbers(count * width), *weight = numbers(width), *bias = numbers(width), *residual = numbers(count * width);
        for (int a = 0; a < 3; a++) {
            float *y = results(count * width);
            k->rms_norm(x, count, width, weight, bias, 1e-5f, activations[a], a == 1 ? NULL : residual, y);
            expect(c, "rms_norm", y, count * width, rounded);
            y = results(count * width);
            k->scale_shift(x, count, width, weight, bias, activations[a], a == 1 ? NULL : residual, y);
            expect(c, "scale_shift", y, count * width, rounded);
        }
        float *dy = results(count * width), *dweight = results(width), *dbias = results(width), *sums = results(width);
        k->rms_norm_backward(x, count, width, weight, 1e-5f, dy, dweight, dbias);
        expect(c, "rms_norm_backward, rows", dy, count * width, rounded);
        expect(c, "rms_norm_backward, weight", dweight, width, rounded);
        expect(c, "rms_norm_backward, bias", dbias, width, rounded);
        k->add_columns(x, count, width, width, sums);
        expect(c, "add_columns", sums, width, rounded);
        float *total = results(1);
        total[0] = (float)k->sum_squares(x, count * width);
        expect(c, "sum_squares", total, 1, rounded);
        free(x), free(weight), free(bias), free(residual);
    }
}

static void attention(const revq_kernel_table *k, check *c) {
    const ptrdiff_t shapes[][2] = {{1, 3}, {7, 8}, {64, 32}, {300, 17}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ptrdiff_t positions = shapes[i][0], d = shapes[i][1];
        float *qkv = numbers(positions * 3 * d), *dy = numbers(positions * d), *y = results(positions * d);
        float *scratch = malloc((size_t)k->attend_scratch(positions, d) * sizeof(float));
        k->attend(qkv, positions, 3 * d, d, 1e-3f, y, d, scratch);
        expect(c, "attend", y, positions * d, rounded);
        float *more = malloc((size_t)k->attend_backward_scratch(positions, d) * sizeof(float)), *dqkv = results(positions * 3 * d);
        k->attend_backward(qkv, positions, 3 * d, d, 1e-3f, dy, d, dqkv, more);
        expect(c, "attend_backward", dqkv, positions * 3 * d, rounded);
        free(qkv), free(dy), free(scratch), free(more);
    }
}

static void shortcuts(const revq_kernel_table *k, check *c) {
    for (ptrdiff_t channels = 4; channels <= 36; channels += 16)
        for (ptrdiff_t share = 1; share <= 4; share *= 2) {
            const ptrdiff_t h = 6, w = 4;
            ptrdiff_t down = h / 2 * (w / 2) * 4 * channels / share, up = 4 * h * w * channels * share / 4;
            float *x = numbers(h * w * channels), *y = results(down);
            k->add_downsampled(x, h, w, channels, share, 0, h / 2, y);
            expect(c, "add_downsampled", y, down, rounded);
            y = results(up);
            k->add_upsampled(x, h, w, channels, share, 0, 2 * h, y);
            expect(c, "add_upsampled", y, up, rounded);
            free(x);
        }
}

static void optimizer(const revq_kernel_table *k, check *c) {
    const revq_adamw_step step = {0.9f, 0.95f, 1e-8f, 1e-2f, 1.5f, 0.99f, 0.5f};
    const ptrdiff_t count = 37;
    float *gradient = numbers(count), *parameter = results(count), *first = results(count), *second = results(count);
    for (ptrdiff_t i = 0; i < count; i++) second[i] = fabsf(second[i]);
    k->adamw(&step, gradient, count, parameter, first, second);
    expect(c, "adamw, parameters", parameter, count, rounded);
    expect(c, "adamw, first moments", first, count, rounded);
    expect(c, "adamw, second moments", second, count, rounded);
    free(gradient);
}

enum { CELLS = 16, IN_CELL = 64, FILLED = 50, CODES = CELLS * FILLED };

/// Code i is in cell i / FILLED. The layout is that of `nearest_code`.
static float *cells_of(const float *codes, ptrdiff_t d) {
    float *made = malloc((size_t)(4 * d * CELLS + CELLS * IN_CELL * (d + 1)) * sizeof(float)), *boxes = made + 2 * d * CELLS;
    float *cell = boxes + 2 * d * CELLS;
    // One region of cells, which is filled up to as many.
    for (ptrdiff_t i = 0; i < 2 * d * CELLS; i++) made[i] = INFINITY;
    for (ptrdiff_t j = 0; j < d; j++) made[(2 * j + 1) * CELLS] = -INFINITY;
    const int32_t none = INT32_MAX;
    for (int i = 0; i < CELLS; i++, cell += IN_CELL * (d + 1))
        for (ptrdiff_t j = 0; j < d; j++) {
            float low = INFINITY, high = -INFINITY;
            for (int at = 0; at < IN_CELL; at++) {
                int32_t index = i * FILLED + at;
                float x = at < FILLED ? codes[index * d + j] : INFINITY;
                cell[j * IN_CELL + at] = x;
                memcpy(cell + d * IN_CELL + at, at < FILLED ? &index : &none, sizeof index);
                if (at < FILLED) low = fminf(low, x), high = fmaxf(high, x);
            }
            boxes[(2 * j) * CELLS + i] = low;
            boxes[(2 * j + 1) * CELLS + i] = high;
            made[(2 * j) * CELLS] = fminf(made[(2 * j) * CELLS], low);
            made[(2 * j + 1) * CELLS] = fmaxf(made[(2 * j + 1) * CELLS], high);
        }
    return made;
}

/// Indices as floats: all are below 2²⁴.
static float *indices(const int32_t *found, ptrdiff_t count) {
    float *made = results(count);
    for (ptrdiff_t i = 0; i < count; i++) made[i] = (float)found[i];
    return made;
}

static void codes(const revq_kernel_table *k, check *c) {
    for (ptrdiff_t d = 1; d <= 8; d += d < 4 ? 1 : 4) {
        enum { COUNT = 77 };
        float *codebook = numbers(CODES * d), *vectors = numbers(COUNT * d), *cells = cells_of(codebook, d), bounds[CELLS];
        float *scratch = malloc((size_t)(64 * (3 * d + 1)) * sizeof(float));
        int32_t found[COUNT];
        k->nearest_code(vectors, COUNT, 1, d, cells, CELLS, bounds, found);
        expect(c, "nearest_code", indices(found, COUNT), COUNT, exact);
        k->scan_codes(vectors, COUNT, 1, d, codebook, CODES, scratch, found);
        expect(c, "scan_codes", indices(found, COUNT), COUNT, exact);
        double *totals = calloc((size_t)(CODES * (d + 3)), sizeof(double));
        k->add_to_cells(vectors, found, COUNT, 1, d, codebook, 0.75, totals);
        float *as_floats = results(CODES * (d + 3));
        for (ptrdiff_t i = 0; i < CODES * (d + 3); i++) as_floats[i] = (float)totals[i];
        expect(c, "add_to_cells", as_floats, CODES * (d + 3), rounded);
        free(codebook), free(vectors), free(cells), free(scratch), free(totals);
    }
}

static void pictures(const revq_kernel_table *k, check *c) {
    enum { BYTES = 256 + 7, COLUMNS = 2 * 16 + 5, PLANE = COLUMNS + 3 };
    uint8_t bytes[BYTES];
    for (int i = 0; i < BYTES; i++) bytes[i] = (uint8_t)i;
    float *y = results(BYTES);
    k->centre_bytes(bytes, BYTES, y);
    expect(c, "centre_bytes", y, BYTES, exact);
    for (ptrdiff_t channels = 2; channels <= 3; channels++) {
        float *x = numbers(COLUMNS * channels), *planes = results(PLANE * channels);
        for (ptrdiff_t i = 0; i < PLANE * channels; i++) planes[i] = 0;
        k->split_channels(x, channels, COLUMNS, PLANE, planes);
        expect(c, "split_channels", planes, PLANE * channels, exact);
        free(x);
    }
}

static void bytes(const revq_kernel_table *k, check *c) {
    enum { ROW = 3 * 23, RING = 5, TAPS = 3, COLUMNS = 11 };
    uint8_t ring[RING * ROW], row[ROW + GUARD];
    const int32_t one = 1 << REVQ_WEIGHT_FRACTION_BITS, weights[TAPS] = {-one / 8, one, one / 8 + 77};
    for (int i = 0; i < RING * ROW; i++) ring[i] = (uint8_t)(128 + 127 * number());
    k->sum_byte_rows(ring, ROW, RING, 3, weights, TAPS, row);
    float *y = results(ROW);
    for (int i = 0; i < ROW; i++) y[i] = row[i];
    expect(c, "sum_byte_rows", y, ROW, exact);
    ptrdiff_t starts[COLUMNS];
    for (ptrdiff_t groups = 1; groups <= 2; groups++) {
        int16_t laid_out[COLUMNS * 2 * REVQ_PIXEL_WEIGHTS];
        for (int x = 0; x < COLUMNS; x++) {
            starts[x] = x * (ROW / 3 - REVQ_PIXELS_TOGETHER * groups) / (COLUMNS - 1);
            revq_pack_pixel_weights(weights, 1 + x % TAPS, x % 2, groups, laid_out + x * groups * REVQ_PIXEL_WEIGHTS);
        }
        k->resize_rgb_row(ring, starts, laid_out, groups, COLUMNS, row);
        y = results(3 * COLUMNS);
        for (int i = 0; i < 3 * COLUMNS; i++) y[i] = row[i];
        expect(c, "resize_rgb_row", y, 3 * COLUMNS, exact);
    }
}

/// To the nearest, ties to even.
static float as_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

static float *all_as_bfloat16(const float *x, ptrdiff_t count) {
    float *made = malloc((size_t)count * sizeof(float));
    for (ptrdiff_t i = 0; i < count; i++) made[i] = as_bfloat16(x[i]);
    return made;
}

static ptrdiff_t half_rounded_down(ptrdiff_t x) { return x < 0 ? (x - 1) / 2 : x / 2; }

/// One result by definition. Taps that fall on one pixel of the picture that is enlarged are summed first, and their sum is rounded.
static float convolved(const revq_bfloat16_picture *p, const float *x, const float *weights, ptrdiff_t row, ptrdiff_t column) {
    ptrdiff_t scale = p->is_enlarging ? 2 : 1, padding = p->size / 2;
    double total = 0;
    for (ptrdiff_t line = 0; line < p->h; line++)
        for (ptrdiff_t place = 0; place < p->w; place++)
            for (ptrdiff_t i = 0; i < p->c; i++) {
                double weight = 0;
                for (ptrdiff_t dy = 0; dy < p->size; dy++)
                    for (ptrdiff_t dx = 0; dx < p->size; dx++) {
                        ptrdiff_t y = row * p->stride + dy - padding, z = column * p->stride + dx - padding;
                        if ((scale == 2 ? half_rounded_down(y) : y) == line && (scale == 2 ? half_rounded_down(z) : z) == place)
                            weight += weights[(i * p->size + dy) * p->size + dx];
                    }
                total += (double)as_bfloat16((float)weight) * x[(line * p->w + place) * p->c + i];
            }
    return (float)total;
}

/// A picture, one at every second place, a matrix, an enlarged picture and a wider kernel: against the definition. Both multiply the same rounded
/// factors, so that only the order of fp32 sums is between them: the tolerance of other sums.
static void bfloat16(revq_bfloat16_convolve convolve, check *c) {
    const revq_bfloat16_picture pictures[] = {
        {5, 7, 35, 3, 1, false}, {6, 9, 32, 3, 2, false}, {37, 1, 70, 1, 1, false}, {4, 5, 40, 3, 1, true}, {3, 4, 64, 5, 1, false},
    };
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        const revq_bfloat16_picture *p = &pictures[i];
        ptrdiff_t scale = p->is_enlarging ? 2 : 1, n = 33 + 14 * (ptrdiff_t)i % 32, taps = p->size * p->size;
        ptrdiff_t lines = (p->h + p->stride - 1) / p->stride, ho = scale * lines, wo = scale * ((p->w + p->stride - 1) / p->stride);
        float *x = numbers(p->h * p->w * p->c), *weights = numbers(n * p->c * taps), *bias = numbers(n), *y = results(ho * wo * n);
        float *rounded_x = all_as_bfloat16(x, p->h * p->w * p->c), *expected = malloc((size_t)(ho * wo * n) * sizeof(float));
        for (ptrdiff_t row = 0; row < ho; row++)
            for (ptrdiff_t column = 0; column < wo; column++)
                for (ptrdiff_t o = 0; o < n; o++)
                    expected[(row * wo + column) * n + o] = bias[o] + convolved(p, rounded_x, weights + o * p->c * taps, row, column);
        ptrdiff_t panels = (n + 31) / 32, panel = revq_bfloat16_panel(p->is_enlarging, p->c, p->size);
        uint16_t *packed_weights = malloc((size_t)(panels * panel) * sizeof(uint16_t));
        for (ptrdiff_t j = 0; j < panels; j++)
            revq_pack_bfloat16_panel(p->is_enlarging, weights, n, p->c, p->size, j, packed_weights + j * panel);
        void *scratch = aligned_alloc(64, (size_t)(revq_bfloat16_scratch(p, lines) + 63) / 64 * 64);
        convolve(p, x, 0, lines, packed_weights, n, 0, n, y, bias, REVQ_IDENTITY, scratch);
        expect_guard(c, "bfloat16", y, ho * wo * n);
        double share = worst_share(y, expected, ho * wo * n);
        if (share > rounded) fail(c, "bfloat16", "share of the largest number", share, rounded);
        c->worst = fmax(c->worst, share);
        free(x), free(weights), free(bias), free(y), free(rounded_x), free(expected), free(packed_weights), free(scratch);
    }
}

static void run(const revq_kernel_table *k, check *c) {
    seed = 7;
    unsigned long before = revq_flush_denormals();
    elementwise(k, c);
    products(k, c);
    convolutions(k, c);
    winograd(k, c);
    winograd_gradient(k, c);
    depthwise(k, c);
    pooling(k, c);
    rows(k, c);
    attention(k, c);
    shortcuts(k, c);
    optimizer(k, c);
    codes(k, c);
    pictures(k, c);
    bytes(k, c);
    volatile float tiny = 1e-38f;
    if (tiny * 0.25f != 0) fail(c, "revq_flush_denormals", "a product that is denormal", tiny * 0.25f, 0);
    revq_restore_denormals(before);
    if (tiny * 0.25f == 0) fail(c, "revq_restore_denormals", "a product that is denormal", 0, 0.25e-38);
}

static const struct {
    revq_instruction_set set;
    const char *name;
} tables[] = {
    {REVQ_PLAIN, "plain"},           {REVQ_X86_64_V3, "x86_64_v3"},   {REVQ_X86_64_V4, "x86_64_v4"},
    {REVQ_X86_64_AMX, "x86_64_amx"}, {REVQ_AARCH64_NEON, "aarch64_neon"},
};

static const struct {
    revq_bfloat16_unit unit;
    const char *name;
} units[] = {{REVQ_BFLOAT16_AVX512, "bf16, avx512"}, {REVQ_BFLOAT16_AMX, "bf16, amx"}, {REVQ_BFLOAT16_NEON, "bf16, neon"}};

/// Held against the definition, so no file is needed.
static int run_bfloat16(void) {
    int failures = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        revq_bfloat16_convolve convolve = revq_bfloat16_kernel(units[i].unit);
        if (convolve == NULL) continue;
        check here = {NULL, false, units[i].name, 0, 0};
        seed = 8;
        bfloat16(convolve, &here);
        printf("%s: %d failures, at most %.1e from the definition\n", here.table, here.failures, here.worst);
        failures += here.failures;
    }
    return failures;
}

int main(int count, char **arguments) {
    bool is_writing = count == 3 && strcmp(arguments[1], "write") == 0;
    if (count != 3 || (!is_writing && strcmp(arguments[1], "compare") != 0)) return fputs("kernels write|compare FILE\n", stderr), 2;
    int failures = is_writing ? 0 : run_bfloat16();
    for (size_t i = 0; i < (is_writing ? 1 : sizeof tables / sizeof *tables); i++) {
        const revq_kernel_table *table = revq_kernels(tables[i].set);
        if (table == NULL) continue;
        check here = {fopen(arguments[2], is_writing ? "wb" : "rb"), is_writing, tables[i].name, 0, 0};
        if (here.file == NULL) return perror(arguments[2]), 2;
        run(table, &here);
        fclose(here.file);
        if (!is_writing) printf("%s: %d failures, at most %.1e from the reference\n", here.table, here.failures, here.worst);
        failures += here.failures;
    }
    return failures > 0;
}
