#include "CImageCodec.h"
#include "failure.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

typedef struct Encoder {
    jmp_buf escape;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    /// malloc's, replaced by libjpeg as it grows.
    unsigned char *bytes;
    unsigned long count;
    ImageCodecFailure *failure;
} Encoder;

static void on_error(j_common_ptr jpeg) {
    Encoder *encoder = jpeg->client_data;
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    image_codec_fail(encoder->failure, ImageCodecStatusOutOfMemory, "JPEG: %s", message);
    longjmp(encoder->escape, 1);
}

static void on_message(j_common_ptr jpeg, int level) {
    (void)jpeg;
    (void)level;
}

/// Colours at full resolution: what tokens keep of a picture is not for the file to lose.
static void keep_colors(struct jpeg_compress_struct *jpeg) {
    for (int i = 0; i < jpeg->num_components; i++) jpeg->comp_info[i].h_samp_factor = jpeg->comp_info[i].v_samp_factor = 1;
}

static void encode(Encoder *encoder, const uint8_t *pixels, uint32_t width, uint32_t height, int quality) {
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    jpeg->err = jpeg_std_error(&encoder->errors);
    encoder->errors.error_exit = on_error;
    encoder->errors.emit_message = on_message;
    jpeg->client_data = encoder;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &encoder->bytes, &encoder->count);
    jpeg->image_width = width;
    jpeg->image_height = height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    keep_colors(jpeg);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < height) {
        // libjpeg does not write to it.
        JSAMPROW row = (JSAMPROW)pixels + (size_t)jpeg->next_scanline * width * 3;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

ImageCodecStatus image_codec_encode_jpeg(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, uint8_t **bytes, size_t *count, ImageCodecFailure *failure) {
    Encoder encoder = {.failure = failure};
    image_codec_succeed(failure);
    Encoder *volatile held = &encoder;
    if (setjmp(encoder.escape) == 0) encode(&encoder, pixels, width, height, quality);
    jpeg_destroy_compress(&held->jpeg);
    if (failure->status != ImageCodecStatusSuccess) {
        free(held->bytes);
        held->bytes = NULL;
    }
    *bytes = held->bytes;
    *count = held->count;
    return failure->status;
}
