// Compiled once per instruction set; the including file has defined LANES and TABLE.
#include "vector.h"

#include "elementwise.h"
#include "product.h"

#include "matrix.h"

#include "convolution.h"

#include "winograd.h"

#include "depthwise.h"
#include "groups.h"

#include "nearest_code.h"

extern const revq_kernel_table TABLE;
const revq_kernel_table TABLE = {
    .add = add,
    .silu = silu,
    .multiply = multiply,
    .convolve = convolve,
    .convolve_winograd = convolve_winograd,
    .winograd_scratch = winograd_scratch,
    .convolve_depthwise = convolve_depthwise,
    .multiply_groups = multiply_groups,
    .nearest_code = nearest_code,
};
