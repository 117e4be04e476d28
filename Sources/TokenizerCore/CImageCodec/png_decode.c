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
    /// The same as RGB, or the whole picture where its rows come in passes.
    uint8_t *pixels;
    ImageCodecRows rows;
    /// What libpng may still read before it has to have put out its last row.
    size_t allowance;
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

/// libpng goes on after what it calls benign; a palette or transparency it had to ignore would change the picture, and data after the
/// picture was never part of one.
static void on_warning(png_structp png, png_const_charp message) {
    bool changes_the_picture = strncmp(message, "PLTE", 4) == 0 || strncmp(message, "tRNS", 4) == 0;
    if (changes_the_picture || strncmp(message, "IDAT", 4) == 0) on_error(png, message);
}

static void on_read(png_structp png, png_bytep destination, size_t count) {
    Decoder *decoder = png_get_io_ptr(png);
    if (count > decoder->remaining) stop(decoder, ImageCodecStatusTruncated, "the data ends before the IEND chunk");
    if (count > decoder->allowance) stop(decoder, ImageCodecStatusCorrupt, "image data goes on after the last row");
    decoder->allowance -= count;
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

/// Once the last row is asked for, libpng would inflate whatever follows it: a megabyte can stand for a gigabyte. No encoder needs this much
/// for one row and the end of the stream.
static void limit_what_follows(Decoder *decoder) {
    decoder->allowance = 2 * png_get_rowbytes(decoder->png, decoder->info) + (8 << 10);
}

static void go_on(Decoder *decoder) {
    if (!decoder->rows.goes_on(decoder->rows.context)) stop(decoder, ImageCodecStatusStopped, "stopped by the caller");
}

static void read_rows(Decoder *decoder, uint32_t width, uint32_t height, const uint8_t *background) {
    png_structp png = decoder->png;
    int channels = png_get_channels(png, decoder->info);
    for (uint32_t y = 0; y < height; y++) {
        go_on(decoder);
        if (y + 1 == height) limit_what_follows(decoder);
        if (channels == 3) {
            png_read_row(png, decoder->pixels, NULL);
        } else {
            png_read_row(png, decoder->row, NULL);
            write_row(decoder, channels, width, 1, background, decoder->pixels);
        }
        decoder->rows.take(decoder->rows.context, y, decoder->pixels);
    }
}

/// Reads the rows of every Adam7 pass and puts each pixel where it belongs, then passes the picture on.
static void read_passes(Decoder *decoder, uint32_t width, uint32_t height, const uint8_t *background) {
    png_structp png = decoder->png;
    int channels = png_get_channels(png, decoder->info);
    int last_pass = PNG_INTERLACE_ADAM7_PASSES - 1;
    while (PNG_PASS_COLS(width, last_pass) == 0 || PNG_PASS_ROWS(height, last_pass) == 0) last_pass--;
    for (int pass = 0; pass <= last_pass; pass++) {
        uint32_t columns = PNG_PASS_COLS(width, pass);
        uint32_t rows = PNG_PASS_ROWS(height, pass);
        if (columns == 0) continue;
        for (uint32_t row = 0; row < rows; row++) {
            go_on(decoder);
            if (pass == last_pass && row + 1 == rows) limit_what_follows(decoder);
            size_t first = (size_t)PNG_ROW_FROM_PASS_ROW(row, pass) * width + PNG_PASS_START_COL(pass);
            png_read_row(png, decoder->row, NULL);
            write_row(decoder, channels, columns, (size_t)1 << PNG_PASS_COL_SHIFT(pass), background, decoder->pixels + first * 3);
        }
    }
    for (uint32_t y = 0; y < height; y++) decoder->rows.take(decoder->rows.context, y, decoder->pixels + (size_t)y * width * 3);
}

static void decode(Decoder *decoder, uint32_t width, uint32_t height, const uint8_t *background) {
    png_structp png = decoder->png;
    png_set_read_fn(png, decoder, on_read);
    restrict_to_what_is_needed(png, width, height);
    png_read_info(png, decoder->info);
    if (png_get_image_width(png, decoder->info) != width || png_get_image_height(png, decoder->info) != height) {
        stop(decoder, ImageCodecStatusCorrupt, "the image is not of the size its first header states");
    }
    request_bytes(decoder, background);
    bool is_interlaced = png_get_interlace_type(png, decoder->info) == PNG_INTERLACE_ADAM7;
    decoder->row = malloc(png_get_rowbytes(png, decoder->info));
    decoder->pixels = malloc((size_t)width * (is_interlaced ? height : 1) * 3);
    if (decoder->row == NULL || decoder->pixels == NULL) stop(decoder, ImageCodecStatusOutOfMemory, "no memory for the rows");
    if (is_interlaced) read_passes(decoder, width, height, background);
    else read_rows(decoder, width, height, background);
    decoder->allowance = SIZE_MAX;
    png_read_end(png, NULL);
}

ImageCodecStatus image_codec_decode_png(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, const uint8_t *background, ImageCodecRows rows,
    ImageCodecFailure *failure) {
    Decoder decoder = {.bytes = bytes, .remaining = count, .allowance = SIZE_MAX, .rows = rows, .failure = failure};
    image_codec_succeed(failure);
    // Everything that must be released after a jump lives in `decoder`, whose address the library and the callbacks hold.
    Decoder *volatile held = &decoder;
    if (setjmp(decoder.escape) == 0) {
        decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_error, on_warning);
        if (decoder.png != NULL) decoder.info = png_create_info_struct(decoder.png);
        if (decoder.info == NULL) stop(&decoder, ImageCodecStatusOutOfMemory, "no memory for the decoder");
        decode(&decoder, width, height, background);
    }
    free(held->row);
    free(held->pixels);
    png_destroy_read_struct(&held->png, &held->info, NULL);
    return failure->status;
}
