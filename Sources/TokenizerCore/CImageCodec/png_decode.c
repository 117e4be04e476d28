#include "CImageCodec.h"
#include "failure.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/// Chunks that libpng keeps in memory are at most this long; PLTE and tRNS, the only ones it is left to keep, are under 1 KiB.
enum { max_kept_chunk_bytes = 1 << 16, max_kept_chunks = 16 };

typedef struct Decoder {
    jmp_buf escape;
    const uint8_t *bytes;
    size_t remaining;
    png_structp png;
    png_infop info;
    /// One decoded row of at most `width` pixels: a palette index, RGB or RGBA each.
    uint8_t *row;
    /// The palette over the background, and how many of its colours the file defines.
    uint8_t palette[256][3];
    int colors;
    ImageCodecFailure *failure;
} Decoder;

static _Noreturn void stop(Decoder *decoder, ImageCodecStatus status, const char *message) {
    image_codec_fail(decoder->failure, status, "PNG: %s", message);
    longjmp(decoder->escape, 1);
}

static void on_error(png_structp png, png_const_charp message) {
    stop(png_get_error_ptr(png), ImageCodecStatusCorrupt, message);
}

/// libpng goes on after what it calls benign; a palette or transparency it had to ignore would change the picture.
static void on_warning(png_structp png, png_const_charp message) {
    if (strncmp(message, "PLTE", 4) == 0 || strncmp(message, "tRNS", 4) == 0) on_error(png, message);
}

static void on_read(png_structp png, png_bytep destination, size_t count) {
    Decoder *decoder = png_get_io_ptr(png);
    if (count > decoder->remaining) stop(decoder, ImageCodecStatusTruncated, "the data ends before the IEND chunk");
    memcpy(destination, decoder->bytes, count);
    decoder->bytes += count;
    decoder->remaining -= count;
}

static void restrict_to_what_is_needed(png_structp png, uint32_t width, uint32_t height) {
    png_set_user_limits(png, width, height);
    png_set_chunk_cache_max(png, max_kept_chunks);
    png_set_chunk_malloc_max(png, max_kept_chunk_bytes);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    // Negative count: every ancillary chunk but tRNS. Compressed text and colour profiles are never inflated.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

/// (colour·alpha + background·(255 − alpha)) / 255, rounded to nearest.
static inline uint8_t blend(unsigned color, unsigned background, unsigned alpha) {
    unsigned sum = color * alpha + background * (255 - alpha) + 128;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

static void read_palette(Decoder *decoder, const uint8_t *background) {
    png_colorp colors;
    png_bytep alphas;
    int alpha_count = 0;
    png_get_PLTE(decoder->png, decoder->info, &colors, &decoder->colors);
    png_get_tRNS(decoder->png, decoder->info, &alphas, &alpha_count, NULL);
    for (int index = 0; index < decoder->colors; index++) {
        unsigned alpha = index < alpha_count ? alphas[index] : 255;
        decoder->palette[index][0] = blend(colors[index].red, background[0], alpha);
        decoder->palette[index][1] = blend(colors[index].green, background[1], alpha);
        decoder->palette[index][2] = blend(colors[index].blue, background[2], alpha);
    }
}

/// Asks for 8-bit RGB, or RGBA where the file has any transparency. Palette indices are only unpacked to a byte each: libpng would show an
/// index beyond the palette as black.
static void request_bytes(Decoder *decoder, const uint8_t *background) {
    png_structp png = decoder->png;
    if (png_get_color_type(png, decoder->info) == PNG_COLOR_TYPE_PALETTE) {
        read_palette(decoder, background);
        png_set_packing(png);
    } else {
        png_set_expand(png);
        png_set_scale_16(png);
        png_set_gray_to_rgb(png);
    }
    png_read_update_info(png, decoder->info);
}

/// Writes `columns` pixels of the decoded row, `step` pixels apart.
static void write_row(Decoder *decoder, int channels, uint32_t columns, size_t step, const uint8_t *background, uint8_t *pixel) {
    const uint8_t *sample = decoder->row;
    for (uint32_t column = 0; column < columns; column++, pixel += 3 * step, sample += channels) {
        if (channels == 1 && sample[0] >= decoder->colors) {
            stop(decoder, ImageCodecStatusCorrupt, "a pixel names a colour beyond the palette's last");
        }
        const uint8_t *color = channels == 1 ? decoder->palette[sample[0]] : sample;
        unsigned alpha = channels == 4 ? sample[3] : 255;
        for (int channel = 0; channel < 3; channel++) pixel[channel] = blend(color[channel], background[channel], alpha);
    }
}

/// Reads the rows of every Adam7 pass (or of the one pass of a plain file) and puts each pixel where it belongs, so that an interlaced
/// file needs no memory beyond one row.
static void read_pixels(Decoder *decoder, uint32_t width, uint32_t height, const uint8_t *background, uint8_t *pixels) {
    png_structp png = decoder->png;
    int channels = png_get_channels(png, decoder->info);
    bool is_interlaced = png_get_interlace_type(png, decoder->info) == PNG_INTERLACE_ADAM7;
    for (int pass = 0; pass < (is_interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); pass++) {
        uint32_t columns = is_interlaced ? PNG_PASS_COLS(width, pass) : width;
        uint32_t rows = is_interlaced ? PNG_PASS_ROWS(height, pass) : height;
        if (columns == 0) continue;
        size_t left = is_interlaced ? PNG_PASS_START_COL(pass) : 0;
        size_t step = is_interlaced ? (size_t)1 << PNG_PASS_COL_SHIFT(pass) : 1;
        for (uint32_t row = 0; row < rows; row++) {
            size_t y = is_interlaced ? PNG_ROW_FROM_PASS_ROW(row, pass) : row;
            uint8_t *line = pixels + (y * width + left) * 3;
            if (channels == 3 && !is_interlaced) {
                png_read_row(png, line, NULL);
            } else {
                png_read_row(png, decoder->row, NULL);
                write_row(decoder, channels, columns, step, background, line);
            }
        }
    }
}

static void decode(Decoder *decoder, uint32_t width, uint32_t height, const uint8_t *background, uint8_t *pixels) {
    png_structp png = decoder->png;
    png_set_read_fn(png, decoder, on_read);
    restrict_to_what_is_needed(png, width, height);
    png_read_info(png, decoder->info);
    if (png_get_image_width(png, decoder->info) != width || png_get_image_height(png, decoder->info) != height) {
        stop(decoder, ImageCodecStatusCorrupt, "the image is not of the size its first header states");
    }
    request_bytes(decoder, background);
    decoder->row = malloc(png_get_rowbytes(png, decoder->info));
    if (decoder->row == NULL) stop(decoder, ImageCodecStatusOutOfMemory, "no memory for a row");
    read_pixels(decoder, width, height, background, pixels);
    png_read_end(png, NULL);
}

ImageCodecStatus image_codec_decode_png(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, const uint8_t *background, uint8_t *pixels,
    ImageCodecFailure *failure) {
    Decoder decoder = {.bytes = bytes, .remaining = count, .failure = failure};
    image_codec_succeed(failure);
    // Everything that must be released after a jump lives in `decoder`, whose address the library and the callbacks hold.
    Decoder *volatile held = &decoder;
    if (setjmp(decoder.escape) == 0) {
        decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_error, on_warning);
        if (decoder.png != NULL) decoder.info = png_create_info_struct(decoder.png);
        if (decoder.info == NULL) stop(&decoder, ImageCodecStatusOutOfMemory, "no memory for the decoder");
        decode(&decoder, width, height, background, pixels);
    }
    free(held->row);
    png_destroy_read_struct(&held->png, &held->info, NULL);
    return failure->status;
}
