#include "CImageCodec.h"
#include "failure.h"
#include "png_pixels.h"

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
    PNGPixels pixels;
    /// One row of at most `width` pixels as the file has it, and the same as RGB.
    uint8_t *row;
    uint8_t *rgb;
    /// The whole picture where its rows come in passes.
    uint8_t *picture;
    ImageCodecRows rows;
    /// What libpng may still read before it has to have put out its last row.
    size_t allowance;
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

/// Once the last row is asked for, libpng would inflate whatever follows it: a megabyte can stand for a gigabyte. No encoder needs this much
/// for one row and the end of the stream.
static void limit_what_follows(Decoder *decoder) {
    decoder->allowance = 2 * png_get_rowbytes(decoder->png, decoder->info) + (8 << 10);
}

static void go_on(Decoder *decoder) {
    if (!decoder->rows.goes_on(decoder->rows.context)) stop(decoder, ImageCodecStatusStopped, "stopped by the caller");
}

/// Reads a row of `columns` pixels into `rgb`.
static void read_row(Decoder *decoder, uint32_t columns, uint8_t *rgb) {
    if (png_pixels_are_rgb(&decoder->pixels)) {
        png_read_row(decoder->png, rgb, NULL);
        return;
    }
    png_read_row(decoder->png, decoder->row, NULL);
    if (!png_pixels_convert(&decoder->pixels, decoder->row, columns, rgb)) {
        stop(decoder, ImageCodecStatusCorrupt, "a pixel names a colour beyond the palette's last");
    }
}

static void read_rows(Decoder *decoder, uint32_t width, uint32_t height) {
    for (uint32_t y = 0; y < height; y++) {
        go_on(decoder);
        if (y + 1 == height) limit_what_follows(decoder);
        read_row(decoder, width, decoder->rgb);
        decoder->rows.take(decoder->rows.context, y, decoder->rgb);
    }
}

/// Puts pixels `step` apart.
static void scatter(const uint8_t *rgb, uint32_t columns, size_t step, uint8_t *pixel) {
    for (uint32_t column = 0; column < columns; column++, pixel += 3 * step, rgb += 3) memcpy(pixel, rgb, 3);
}

/// Reads the rows of every Adam7 pass and puts each pixel where it belongs, then passes the picture on.
static void read_passes(Decoder *decoder, uint32_t width, uint32_t height) {
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
            read_row(decoder, columns, decoder->rgb);
            scatter(decoder->rgb, columns, (size_t)1 << PNG_PASS_COL_SHIFT(pass), decoder->picture + first * 3);
        }
    }
    for (uint32_t y = 0; y < height; y++) decoder->rows.take(decoder->rows.context, y, decoder->picture + (size_t)y * width * 3);
}

static void decode(Decoder *decoder, uint32_t width, uint32_t height, const uint8_t *background) {
    png_structp png = decoder->png;
    png_set_read_fn(png, decoder, on_read);
    restrict_to_what_is_needed(png, width, height);
    png_read_info(png, decoder->info);
    if (png_get_image_width(png, decoder->info) != width || png_get_image_height(png, decoder->info) != height) {
        stop(decoder, ImageCodecStatusCorrupt, "the image is not of the size its first header states");
    }
    png_pixels_prepare(&decoder->pixels, png, decoder->info, background);
    bool is_interlaced = png_get_interlace_type(png, decoder->info) == PNG_INTERLACE_ADAM7;
    decoder->row = malloc(png_get_rowbytes(png, decoder->info));
    decoder->rgb = malloc((size_t)width * 3);
    if (is_interlaced) decoder->picture = malloc((size_t)width * height * 3);
    if (decoder->row == NULL || decoder->rgb == NULL || (is_interlaced && decoder->picture == NULL)) {
        stop(decoder, ImageCodecStatusOutOfMemory, "no memory for the rows");
    }
    if (is_interlaced) read_passes(decoder, width, height);
    else read_rows(decoder, width, height);
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
    free(held->rgb);
    free(held->picture);
    png_destroy_read_struct(&held->png, &held->info, NULL);
    return failure->status;
}
