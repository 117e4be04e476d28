#include "png_pixels.h"

#include <string.h>

/// Three bytes, each in 16 bits of its own, so that one multiplication scales them all.
static inline uint64_t spread(const uint8_t *rgb) { return rgb[0] | (uint64_t)rgb[1] << 16 | (uint64_t)rgb[2] << 32; }

/// (colour·alpha + background·(255 − alpha)) / 255, rounded to nearest.
static inline void blend(const PNGPixels *pixels, const uint8_t *color, unsigned alpha, uint8_t *rgb) {
    uint64_t sums = spread(color) * alpha + pixels->behind[alpha];
    uint64_t levels = (sums + (sums >> 8 & 0x00FF00FF00FF)) >> 8;
    rgb[0] = (uint8_t)levels;
    rgb[1] = (uint8_t)(levels >> 16);
    rgb[2] = (uint8_t)(levels >> 32);
}

static void prepare_background(PNGPixels *pixels, const uint8_t *background) {
    memcpy(pixels->background, background, 3);
    for (unsigned alpha = 0; alpha < 256; alpha++) pixels->behind[alpha] = spread(background) * (255 - alpha) + 0x008000800080;
}

static void read_palette(PNGPixels *pixels, png_structp png, png_infop info) {
    png_colorp colors;
    png_bytep alphas;
    int alpha_count = 0;
    png_get_PLTE(png, info, &colors, &pixels->color_count);
    png_get_tRNS(png, info, &alphas, &alpha_count, NULL);
    for (int index = 0; index < pixels->color_count; index++) {
        uint8_t color[3] = {colors[index].red, colors[index].green, colors[index].blue};
        blend(pixels, color, index < alpha_count ? alphas[index] : 255, pixels->colors[index]);
    }
}

/// The transparent colour, of which only as many bits count as a sample has.
static void read_key(PNGPixels *pixels, png_structp png, png_infop info, unsigned largest) {
    png_color_16p key = NULL;
    pixels->has_key = png_get_tRNS(png, info, NULL, NULL, &key) != 0 && key != NULL;
    if (!pixels->has_key) return;
    bool is_grey = pixels->samples == 1;
    pixels->key[0] = (is_grey ? key->gray : key->red) & largest;
    pixels->key[1] = key->green & largest;
    pixels->key[2] = key->blue & largest;
}

/// Greys of at most 8 bits, one of which may be transparent, are a palette, too.
static void prepare_greys(PNGPixels *pixels, unsigned largest) {
    pixels->color_count = (int)largest + 1;
    for (unsigned level = 0; level <= largest; level++) {
        bool is_transparent = pixels->has_key && pixels->sample_bytes == 1 && level == pixels->key[0];
        if (is_transparent) memcpy(pixels->colors[level], pixels->background, 3);
        else memset(pixels->colors[level], (int)(level * 255 / largest), 3);
    }
}

void png_pixels_prepare(PNGPixels *pixels, png_structp png, png_infop info, const uint8_t *background) {
    int depth = png_get_bit_depth(png, info);
    pixels->samples = png_get_channels(png, info);
    pixels->sample_bytes = depth == 16 ? 2 : 1;
    prepare_background(pixels, background);
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) {
        read_palette(pixels, png, info);
    } else {
        read_key(pixels, png, info, (1u << depth) - 1);
        if (pixels->samples == 1) prepare_greys(pixels, depth < 8 ? (1u << depth) - 1 : 255);
    }
    png_set_packing(png);
    png_read_update_info(png, info);
}

bool png_pixels_are_rgb(const PNGPixels *pixels) { return pixels->samples == 3 && pixels->sample_bytes == 1 && !pixels->has_key; }

/// A 16-bit sample / 257, rounded to nearest: its high byte h and its low byte l are 257·h + (l − h), and half of 257 is 128.5.
static inline uint8_t narrowed(const uint8_t *wide) {
    int16_t high = wide[0];
    int16_t rest = (int16_t)(wide[1] - high);
    return (uint8_t)(high + (rest > 128) - (rest < -128));
}

static void narrow(const uint8_t *restrict wide, size_t count, uint8_t *restrict bytes) {
    for (size_t i = 0; i < count; i++) bytes[i] = narrowed(wide + 2 * i);
}

static bool convert_colors(const PNGPixels *pixels, const uint8_t *row, uint32_t columns, uint8_t *rgb) {
    int largest = 0;
    for (uint32_t column = 0; column < columns; column++, rgb += 3) {
        const uint8_t *color = pixels->colors[row[column]];
        if (row[column] > largest) largest = row[column];
        rgb[0] = color[0];
        rgb[1] = color[1];
        rgb[2] = color[2];
    }
    return largest < pixels->color_count;
}

static void convert_keyed(const PNGPixels *pixels, const uint8_t *row, uint32_t columns, uint8_t *rgb) {
    for (uint32_t column = 0; column < columns; column++, row += pixels->samples * pixels->sample_bytes, rgb += 3) {
        bool is_transparent = true;
        for (int channel = 0; channel < 3; channel++) {
            const uint8_t *sample = pixels->samples == 1 ? row : row + channel * pixels->sample_bytes;
            unsigned level = pixels->sample_bytes == 2 ? (unsigned)sample[0] << 8 | sample[1] : sample[0];
            is_transparent &= level == pixels->key[pixels->samples == 1 ? 0 : channel];
            rgb[channel] = pixels->sample_bytes == 2 ? narrowed(sample) : sample[0];
        }
        if (is_transparent) memcpy(rgb, pixels->background, 3);
    }
}

static void convert_alpha(const PNGPixels *pixels, const uint8_t *row, uint32_t columns, uint8_t *rgb) {
    for (uint32_t column = 0; column < columns; column++, rgb += 3) {
        if (pixels->samples == 4) {
            blend(pixels, row, row[3], rgb);
        } else {
            uint8_t grey[3] = {row[0], row[0], row[0]};
            blend(pixels, grey, row[1], rgb);
        }
        row += pixels->samples;
    }
}

/// Pixels of at most 8 bits per sample, of which no colour is transparent.
static bool convert_bytes(const PNGPixels *pixels, const uint8_t *row, uint32_t columns, uint8_t *rgb) {
    if (pixels->samples == 1) return convert_colors(pixels, row, columns, rgb);
    if (pixels->samples == 3) memcpy(rgb, row, (size_t)columns * 3);
    else convert_alpha(pixels, row, columns, rgb);
    return true;
}

/// Pixels that are narrowed at once, into a place that stays in the nearest cache.
enum { columns_at_once = 256 };

bool png_pixels_convert(const PNGPixels *pixels, const uint8_t *row, uint32_t columns, uint8_t *rgb) {
    if (pixels->has_key && (pixels->samples > 1 || pixels->sample_bytes > 1)) {
        convert_keyed(pixels, row, columns, rgb);
        return true;
    }
    if (pixels->sample_bytes == 1) return convert_bytes(pixels, row, columns, rgb);
    uint8_t bytes[4 * columns_at_once];
    while (columns > 0) {
        uint32_t count = columns < columns_at_once ? columns : columns_at_once;
        narrow(row, (size_t)count * pixels->samples, bytes);
        convert_bytes(pixels, bytes, count, rgb);
        columns -= count;
        row += (size_t)2 * count * pixels->samples;
        rgb += (size_t)3 * count;
    }
    return true;
}
