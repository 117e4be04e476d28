// Compiled once per instruction set; the including file has defined LANES and TABLE.
#include "vector.h"
#include "activation.h"

#include "elementwise.h"
#include "product.h"

#include "matrix.h"

#include "convolution.h"

#include "winograd.h"

#include "normalization.h"
#include "attention.h"
#include "shortcut.h"

#include "depthwise.h"

#include "nearest_code.h"

extern const revq_kernel_table TABLE;
const revq_kernel_table TABLE = {
    .add = add,
    .activate = activate,
    .gate = gate,
    .multiply = multiply,
    .convolve = convolve,
    .convolve_winograd = convolve_winograd,
    .winograd_scratch = winograd_scratch,
    .convolve_depthwise = convolve_depthwise,
    .rms_norm = rms_norm,
    .scale_shift = scale_shift,
    .attend = attend,
    .add_downsampled = add_downsampled,
    .add_upsampled = add_upsampled,
    .nearest_code = nearest_code,
};
