// DC-AE's attention: similarity is relu(q) · relu(k), so keys and values are summed up once for all queries.

/// Positions whose sums are formed in registers before they are added to the rest: as for products, more accurate than one long sum.
#define POSITIONS_TOGETHER 256
#define KEYS_TOGETHER 8
#define QUERIES_TOGETHER 4

/// One head: rows of q, k and v, each d numbers, `stride` floats apart.
typedef struct {
    const float *rows;
    ptrdiff_t positions, stride, d;
} attention_head;

/// memory[key][column] += Σ relu(k) v over positions first..<last, for KEYS_TOGETHER keys (or the first `keys`) and LANES columns.
INLINE void remember_block(
    const attention_head *in, ptrdiff_t first, ptrdiff_t last, ptrdiff_t key, ptrdiff_t keys, ptrdiff_t column, float *memory) {
    vfloat sums[KEYS_TOGETHER] = {{0}};
    ptrdiff_t left = in->d - column;
    for (ptrdiff_t i = first; i < last; i++) {
        const float *k = in->rows + i * in->stride + in->d + key;
        vfloat v = load_some(in->rows + i * in->stride + 2 * in->d + column, left);
        if (keys == KEYS_TOGETHER)
#pragma clang loop unroll(full)
            for (int j = 0; j < KEYS_TOGETHER; j++) sums[j] += maximum(splat(k[j]), splat(0)) * v;
        else
            for (int j = 0; j < keys; j++) sums[j] += maximum(splat(k[j]), splat(0)) * v;
    }
    for (ptrdiff_t j = 0; j < keys; j++) {
        float *to = memory + (key + j) * in->d + column;
        store_some(to, load_some(to, left) + sums[j], left);
    }
}

/// keys[d] += Σ relu(k) over positions first..<last.
INLINE void count_keys(const attention_head *in, ptrdiff_t first, ptrdiff_t last, float *keys) {
    for (ptrdiff_t column = 0; column < in->d; column += LANES) {
        ptrdiff_t left = in->d - column;
        vfloat total = splat(0);
        for (ptrdiff_t i = first; i < last; i++)
            total += maximum(load_some(in->rows + i * in->stride + in->d + column, left), splat(0));
        store_some(keys + column, load_some(keys + column, left) + total, left);
    }
}

/// relu(q) · keys
INLINE float total_similarity(const float *q, const float *keys, ptrdiff_t d) {
    vfloat total = splat(0);
    for (ptrdiff_t i = 0; i < d; i += LANES)
        total += maximum(load_some(q + i, d - i), splat(0)) * load_some(keys + i, d - i);
    return sum(total);
}

/// y = relu(q) · memory / (relu(q) · keys + epsilon) for `count` queries from `first` on.
INLINE void answer(
    const attention_head *in, ptrdiff_t first, const int count, const float *memory, const float *keys, float epsilon, float *y,
    ptrdiff_t y_stride) {
    const float *q = in->rows + first * in->stride;
    float shares[QUERIES_TOGETHER];
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) shares[i] = 1.0f / (total_similarity(q + i * in->stride, keys, in->d) + epsilon);
    for (ptrdiff_t column = 0; column < in->d; column += LANES) {
        ptrdiff_t left = in->d - column;
        vfloat sums[QUERIES_TOGETHER] = {{0}};
        for (ptrdiff_t j = 0; j < in->d; j++) {
            vfloat values = load_some(memory + j * in->d + column, left);
#pragma clang loop unroll(full)
            for (int i = 0; i < count; i++) sums[i] += maximum(splat(q[i * in->stride + j]), splat(0)) * values;
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < count; i++)
            store_some(y + (first + i) * y_stride + column, sums[i] * splat(shares[i]), left);
    }
}

static void attend(
    const float *qkv, ptrdiff_t positions, ptrdiff_t stride, ptrdiff_t d, float epsilon, float *y, ptrdiff_t y_stride,
    float *scratch) {
    attention_head in = {qkv, positions, stride, d};
    float *memory = scratch, *keys = scratch + d * d;
    __builtin_memset(scratch, 0, (size_t)(d * d + d) * sizeof(float));
    for (ptrdiff_t first = 0; first < positions; first += POSITIONS_TOGETHER) {
        ptrdiff_t last = positions - first < POSITIONS_TOGETHER ? positions : first + POSITIONS_TOGETHER;
        for (ptrdiff_t column = 0; column < d; column += LANES)
            for (ptrdiff_t key = 0; key < d; key += KEYS_TOGETHER)
                remember_block(&in, first, last, key, d - key < KEYS_TOGETHER ? d - key : KEYS_TOGETHER, column, memory);
        count_keys(&in, first, last, keys);
    }
    ptrdiff_t i = 0;
    for (; i + QUERIES_TOGETHER <= positions; i += QUERIES_TOGETHER)
        answer(&in, i, QUERIES_TOGETHER, memory, keys, epsilon, y, y_stride);
    for (; i < positions; i++) answer(&in, i, 1, memory, keys, epsilon, y, y_stride);
}
