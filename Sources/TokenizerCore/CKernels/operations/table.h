// Compiled once per instruction set; the including file has defined LANES, REGISTERS (vectors that a processor holds) and
// TABLE, and MATRIX_TILES where there is a matrix unit.
#include "vector.h"
#include "activation.h"

#include "elementwise.h"
#include "product.h"

#include "matrix.h"

#include "convolution.h"

#include "winograd.h"
#include "winograd_gradient.h"

#include "normalization.h"
#include "attention.h"
#include "shortcut.h"

#include "depthwise.h"
#include "pooling.h"

#include "elementwise_backward.h"
#include "normalization_backward.h"
#include "pixel_blocks.h"
#include "depthwise_backward.h"
#include "attention_backward.h"

#include "optimizer.h"

#include "nearest_code.h"
#include "scan_codes.h"
#include "add_to_cells.h"

#include "pixels.h"
#include "resample.h"

extern const revq_kernel_table TABLE;
const revq_kernel_table TABLE = {
    .add = add,
    .activate = activate,
    .gate = gate,
    .multiply = multiply,
    .add_transposed_product = add_transposed_product,
    .convolve = convolve,
    .convolve_winograd = convolve_winograd,
    .winograd_scratch = winograd_scratch,
    .add_winograd_gradient = add_winograd_gradient,
    .winograd_gradient_scratch = winograd_gradient_scratch,
    .strip_rows = TILE_ROWS,
    .convolve_depthwise = convolve_depthwise,
    .rms_norm = rms_norm,
    .scale_shift = scale_shift,
    .attend = attend,
    .attend_scratch = attend_scratch,
    .add_downsampled = add_downsampled,
    .add_upsampled = add_upsampled,
    .activate_backward = activate_backward,
    .add_columns = add_columns,
    .sum_squares = sum_squares,
    .rms_norm_backward = rms_norm_backward,
    .depthwise_backward = depthwise_backward,
    .pool_maximum = pool_maximum,
    .pool_maximum_backward = pool_maximum_backward,
    .attend_backward = attend_backward,
    .attend_backward_scratch = attend_backward_scratch,
    .adamw = adamw,
    .nearest_code = nearest_code,
    .scan_codes = scan_codes,
    .add_to_cells = add_to_cells,
    .centre_bytes = centre_bytes,
    .split_channels = split_channels,
    .sum_byte_rows = sum_byte_rows,
    .resize_rgb_row = resize_rgb_row,
};
