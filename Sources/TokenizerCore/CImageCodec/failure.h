#pragma once

#include "CImageCodec.h"

#include <stdio.h>

/// Fills in `failure` and returns its status; the last argument list is printf's.
__attribute__((format(printf, 3, 4))) static inline ImageCodecStatus image_codec_fail(
    ImageCodecFailure *failure, ImageCodecStatus status, const char *format, ...) {
    failure->status = status;
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    vsnprintf(failure->message, sizeof failure->message, format, arguments);
    __builtin_va_end(arguments);
    return status;
}

static inline ImageCodecStatus image_codec_succeed(ImageCodecFailure *failure) {
    failure->status = ImageCodecStatusSuccess;
    failure->message[0] = '\0';
    return ImageCodecStatusSuccess;
}
