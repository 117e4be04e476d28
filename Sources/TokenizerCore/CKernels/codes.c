#include "LayerKernels.h"

int revq_nearest_code(const float *vector, const float *columns, long codes, long dimension) {
    enum { block = 256 };
    float best = __builtin_inff();
    long winner = 0;
    float distance[block];
    for (long first = 0; first < codes; first += block) {
        long count = codes - first < block ? codes - first : block;
        for (long i = 0; i < count; i++) distance[i] = 0;
        for (long j = 0; j < dimension; j++) {
            const float *column = columns + j * codes + first;
            for (long i = 0; i < count; i++) {
                float difference = vector[j] - column[i];
                distance[i] += difference * difference;
            }
        }
        // Few blocks hold a new minimum: look for its place only in those.
        float least = distance[0];
        for (long i = 1; i < count; i++) least = distance[i] < least ? distance[i] : least;
        if (least >= best) continue;
        best = least;
        for (long i = 0; i < count; i++)
            if (distance[i] == least) {
                winner = first + i;
                break;
            }
    }
    return (int)winner;
}
