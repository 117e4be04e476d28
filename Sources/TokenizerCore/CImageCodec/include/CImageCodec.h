/// PNG and JPEG in memory ↔ 8-bit RGB, through libpng and libjpeg.
///
/// Both libraries report errors with `longjmp`. Every jump starts and ends inside one function of this target, so none ever crosses
/// a Swift frame. The caller has parsed the header and checked it against its limits first: it passes the size it expects and
/// memory of exactly that size, and a file that then claims another size is refused.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Why a call did not succeed.
typedef enum __attribute__((enum_extensibility(closed))) ImageCodecStatus {
    ImageCodecStatusSuccess = 0,
    /// The bytes end before the picture does.
    ImageCodecStatusTruncated,
    /// The bytes break the format.
    ImageCodecStatusCorrupt,
    /// Valid, but of a kind that is not decoded.
    ImageCodecStatusUnsupported,
    /// More memory or work than the caller allows.
    ImageCodecStatusTooLarge,
    ImageCodecStatusOutOfMemory,
    /// The caller did not want the rest.
    ImageCodecStatusStopped,
} ImageCodecStatus;

#define IMAGE_CODEC_MESSAGE_BYTES 160

/// What went wrong; `message` is one line in UTF-8, empty on success.
typedef struct ImageCodecFailure {
    ImageCodecStatus status;
    char message[IMAGE_CODEC_MESSAGE_BYTES];
} ImageCodecFailure;

/// Where decoded rows go. Both functions run on the caller's thread, between the library's own; neither may jump.
typedef struct ImageCodecRows {
    void *context;
    /// Takes row `y` as `width × 3` bytes, RGB; rows come from the top down.
    void (*take)(void *context, uint32_t y, const uint8_t *rgb);
    /// Whether decoding goes on; asked at least every eight rows, and for every row of blocks while a scan is read whose rows come later.
    bool (*goes_on)(void *context);
} ImageCodecRows;

/// Decodes a PNG of exactly `width × height` pixels.
///
/// Greys and palettes are expanded, 16-bit samples scaled to 8 bits with rounding, and alpha (also from tRNS) composited over
/// `background` (3 bytes, RGB) on the encoded bytes. gAMA, cHRM, iCCP and every other ancillary chunk except tRNS is skipped.
/// A CRC mismatch in any chunk is an error, and so are a missing IEND and image data after the last row: it is not inflated.
/// Beyond a row or two no memory is needed, except that an interlaced picture is put together as a whole.
ImageCodecStatus image_codec_decode_png(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, const uint8_t *background, ImageCodecRows rows,
    ImageCodecFailure *failure);

/// Decodes a JPEG of exactly `width × height` stored pixels (before EXIF orientation).
///
/// Grey, YCbCr, RGB, CMYK and YCCK; the four-colour kinds are read as Adobe writes them (255 = no ink), with or without Adobe's marker.
/// - Parameter reduction: 1, or 2, 4 or 8 for a picture of that fraction of the width and height, rounded up, which takes less work.
/// - Parameter max_memory_bytes: what libjpeg may keep as coefficients of a progressive or multi-scan file.
/// - Parameter max_scans: a file with more scans than this is refused.
/// - Parameter max_scan_bytes: and so is one with more coded data before its end.
ImageCodecStatus image_codec_decode_jpeg(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, unsigned reduction, size_t max_memory_bytes, int max_scans,
    size_t max_scan_bytes, ImageCodecRows rows, ImageCodecFailure *failure);

/// Encodes `height × width × 3` RGB bytes as an 8-bit PNG.
///
/// On success `*bytes` holds `*count` bytes that the caller passes to `free`; otherwise it is null.
ImageCodecStatus image_codec_encode_png(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t **bytes, size_t *count, ImageCodecFailure *failure);

/// The same as a baseline JPEG with colours at full resolution.
/// - Parameter quality: libjpeg's, 1 to 100.
ImageCodecStatus image_codec_encode_jpeg(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, uint8_t **bytes, size_t *count, ImageCodecFailure *failure);
