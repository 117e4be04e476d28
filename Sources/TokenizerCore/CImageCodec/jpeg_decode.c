#include "CImageCodec.h"
#include "failure.h"

#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

typedef struct Decoder {
    jmp_buf escape;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    ImageCodecRows rows;
    ImageCodecFailure *failure;
} Decoder;

static _Noreturn void stop(Decoder *decoder, ImageCodecStatus status, const char *message) {
    image_codec_fail(decoder->failure, status, "JPEG: %s", message);
    longjmp(decoder->escape, 1);
}

static ImageCodecStatus status_of(int code) {
    switch (code) {
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF:
        return ImageCodecStatusTruncated;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JWRN_ADOBE_XFORM:
        return ImageCodecStatusUnsupported;
    case JERR_OUT_OF_MEMORY:
        return ImageCodecStatusOutOfMemory;
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return ImageCodecStatusTooLarge;
    default:
        return ImageCodecStatusCorrupt;
    }
}

/// What libjpeg warns of although every pixel is defined: cameras pad before a marker, number JFIF 2, or fill in a baseline scan's
/// progressive parameters. Any other warning means that it made up part of the picture.
static bool leaves_the_picture_whole(int code) {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_NOT_SEQUENTIAL;
}

static void on_error(j_common_ptr jpeg) {
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    stop(jpeg->client_data, status_of(jpeg->err->msg_code), message);
}

static void on_message(j_common_ptr jpeg, int level) {
    if (level < 0 && !leaves_the_picture_whole(jpeg->err->msg_code)) on_error(jpeg);
}

/// What a file holds up to its first EOI: how many scans, and how many bytes of them.
typedef struct Scans {
    int count;
    size_t bytes;
} Scans;

/// Walks through the file without decoding anything: segments are skipped by their length, coded data up to its next marker, as libjpeg does.
/// A scan can cost a pass over all coefficients and be a few bytes long, so that counting must come first.
static Scans find_scans(const uint8_t *bytes, size_t count) {
    Scans scans = {0};
    const uint8_t *end = bytes + count;
    const uint8_t *at = bytes;
    size_t segments = 0;
    while (end - at >= 4) {
        if (*at != 0xFF && (at = memchr(at, 0xFF, (size_t)(end - at))) == NULL) break;
        if (end - at < 4) break;
        uint8_t code = at[1];
        if (code == 0xD9) break;
        if (code == 0xFF) {
            at++;
            continue;
        }
        bool stands_alone = code <= 0x01 || (code >= 0xD0 && code <= 0xD8);
        scans.count += code == 0xDA;
        size_t length = stands_alone ? 2 : 2 + ((size_t)at[2] << 8 | at[3]);
        if (length >= (size_t)(end - at)) break;
        if (!stands_alone) segments += length;
        at += length;
    }
    scans.bytes = (size_t)((at == NULL ? end : at) - bytes) - segments;
    return scans;
}

/// Called by libjpeg after every few rows of blocks, of every scan.
static void on_progress(j_common_ptr jpeg) {
    Decoder *decoder = jpeg->client_data;
    // Where it is called for every row or two, one in eight is enough: to ask costs a look at two clocks.
    if ((decoder->jpeg.output_scanline & 7) > 1) return;
    if (!decoder->rows.goes_on(decoder->rows.context)) stop(decoder, ImageCodecStatusStopped, "stopped by the caller");
}

static void prepare(Decoder *decoder) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    jpeg->err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = on_error;
    decoder->errors.emit_message = on_message;
    jpeg->client_data = decoder;
    jpeg_create_decompress(jpeg);
    decoder->progress.progress_monitor = on_progress;
    jpeg->progress = &decoder->progress;
}

/// 255 = no ink, as Adobe stores it: each colour is the paper's white less its ink, seen through the black. The three colours are computed as one
/// number with 16 bits for each.
static void convert_inverted_cmyk(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
    const uint64_t bytes = 0x00FF00FF00FF, halves = 0x008000800080, ones = 0x000100010001;
    for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        uint64_t light = cmyk[3];
        uint64_t inks = bytes - (cmyk[0] | (uint64_t)cmyk[1] << 16 | (uint64_t)cmyk[2] << 32);
        uint64_t absorbed = inks * light + halves;
        uint64_t levels = light * ones - ((absorbed + (absorbed >> 8 & bytes)) >> 8 & bytes);
        rgb[0] = (uint8_t)levels;
        rgb[1] = (uint8_t)(levels >> 16);
        rgb[2] = (uint8_t)(levels >> 32);
    }
}

static void read_rgb(struct jpeg_decompress_struct *jpeg, ImageCodecRows rows) {
    enum { TOGETHER = 16 };
    JSAMPARRAY lines = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 3 + 1, TOGETHER);
    // libjpeg-turbo writes rows that are aligned past the caches, out of which they are about to be read: a tenth of the time of a small picture.
    for (int line = 0; line < TOGETHER; line++) lines[line]++;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint32_t first = jpeg->output_scanline;
        unsigned count = jpeg_read_scanlines(jpeg, lines, TOGETHER);
        for (unsigned line = 0; line < count; line++) rows.take(rows.context, first + line, lines[line]);
    }
}

static void read_cmyk(struct jpeg_decompress_struct *jpeg, ImageCodecRows rows) {
    JSAMPARRAY line = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 2);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint32_t y = jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, line, 1);
        convert_inverted_cmyk(line[0], line[1], jpeg->output_width);
        rows.take(rows.context, y, line[1]);
    }
}

static void decode(
    Decoder *decoder, const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, unsigned reduction, size_t max_memory_bytes) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    jpeg_mem_src(jpeg, bytes, count);
    jpeg->mem->max_memory_to_use = (long)max_memory_bytes;
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->image_width != width || jpeg->image_height != height) {
        stop(decoder, ImageCodecStatusCorrupt, "the image is not of the size its first header states");
    }
    bool has_four_colors = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->scale_num = 1;
    jpeg->scale_denom = reduction;
    jpeg->out_color_space = has_four_colors ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    if (has_four_colors) read_cmyk(jpeg, decoder->rows);
    else read_rgb(jpeg, decoder->rows);
    // Reads on to the EOI marker, so that a file cut off after its last row is noticed.
    jpeg_finish_decompress(jpeg);
}

ImageCodecStatus image_codec_decode_jpeg(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, unsigned reduction, size_t max_memory_bytes, int max_scans,
    size_t max_scan_bytes, ImageCodecRows rows, ImageCodecFailure *failure) {
    Scans scans = find_scans(bytes, count);
    if (scans.count > max_scans) {
        return image_codec_fail(failure, ImageCodecStatusTooLarge, "JPEG: %d scans: at most %d are accepted", scans.count, max_scans);
    }
    if (scans.bytes > max_scan_bytes) {
        return image_codec_fail(
            failure, ImageCodecStatusTooLarge, "JPEG: %zu bytes of coded data for %ux%u pixels: at most %zu are accepted", scans.bytes, width, height,
            max_scan_bytes);
    }
    Decoder decoder = {.rows = rows, .failure = failure};
    image_codec_succeed(failure);
    // Everything that must be released after a jump lives in `decoder`, whose address the library and the callbacks hold.
    Decoder *volatile held = &decoder;
    if (setjmp(decoder.escape) == 0) {
        prepare(&decoder);
        decode(&decoder, bytes, count, width, height, reduction, max_memory_bytes);
    }
    jpeg_destroy_decompress(&held->jpeg);
    return failure->status;
}
