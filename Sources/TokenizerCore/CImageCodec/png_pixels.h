#pragma once

#include <png.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How the samples of a PNG's rows become RGB bytes. libpng could do it, but moves every row once for each of its steps: expanding, narrowing
/// and compositing here takes a third of the time.
typedef struct PNGPixels {
    /// Samples per pixel, and bytes per sample: smaller ones have been unpacked.
    int samples;
    int sample_bytes;
    /// What a pixel of one sample shows, and how many samples show anything.
    uint8_t colors[256][3];
    int color_count;
    /// The colour that is transparent, as the file stores it.
    bool has_key;
    uint16_t key[3];
    uint8_t background[3];
    /// The background as it shines through each alpha: three numbers of 16 bits, ready to be rounded.
    uint64_t behind[256];
} PNGPixels;

/// Reads what the chunks before the image data say; asks libpng to unpack samples of less than a byte, and for nothing else.
void png_pixels_prepare(PNGPixels *pixels, png_structp png, png_infop info, const uint8_t *background);

/// Whether a row is RGB as it is.
bool png_pixels_are_rgb(const PNGPixels *pixels);

/// `columns` pixels of a row → RGB.
///
/// - Returns: whether every pixel has a colour; a palette may have too few.
bool png_pixels_convert(const PNGPixels *pixels, const uint8_t *row, uint32_t columns, uint8_t *rgb);
