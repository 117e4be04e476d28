#!/usr/bin/env python3
"""Makes the pictures and reference pixels beside it.

    python make_images.py

Needs Pillow and NumPy, and `jpegtran` (Debian: libjpeg-turbo-progs) for the scan scripts that Pillow cannot write. PNG files are written
here chunk by chunk, because Pillow writes neither Adam7 nor most of the sample layouts; their reference pixels follow from the samples by the
PNG specification, and Pillow is asserted to agree wherever it keeps the precision. JPEG reference pixels are Pillow's.

manifest.json lists every case; its pixels are `height * width * 3` bytes at `offset` of pixels.bin.
"""

import io
import json
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def picture(width, height, channels=3):
    """A formula that the Swift tests repeat: gradients and a texture, every byte value."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    return ((x * x * 3 + y * 7 + c * 85 + (x * y) // 3) & 255).astype(np.uint8)


def smooth(width, height, channels=3):
    """What JPEG is made for."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    value = 128 + 90 * np.sin(x / 7.0 + c) + 37 * np.cos(y / 5.0 - 2 * c)
    return np.clip(np.rint(value), 0, 255).astype(np.uint8)


# PNG


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filtered(rows, stride):
    """Every filter type in turn."""
    previous = bytes(len(rows[0])) if rows else b""
    out = bytearray()
    for number, row in enumerate(rows):
        kind = number % 5
        out.append(kind)
        for i, value in enumerate(row):
            a = row[i - stride] if i >= stride else 0
            b = previous[i]
            c = previous[i - stride] if i >= stride else 0
            predicted = (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]
            out.append((value - predicted) & 255)
        previous = row
    return bytes(out)


def packed(samples, depth):
    """Rows of bytes from [h, w, c] samples."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in samples]
    rows = []
    for row in samples:
        bits = "".join(format(int(value), f"0{depth}b") for value in row.ravel())
        bits += "0" * (-len(bits) % 8)
        rows.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return rows


def png(samples, color, depth, interlaced=False, before=(), after=()):
    height, width = samples.shape[:2]
    stride = max(1, CHANNELS[color] * depth // 8)
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    data = b""
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.size:
            data += filtered(packed(part, depth), stride)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    body = b"".join(chunk(name, content) for name, content in before)
    compressed = zlib.compress(data, 9)
    half = len(compressed) // 2
    body += chunk(b"IDAT", compressed[:half]) + chunk(b"IDAT", compressed[half:])
    body += b"".join(chunk(name, content) for name, content in after)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def to8(values, depth):
    """Scaled to 0…255, rounded to nearest."""
    top = (1 << depth) - 1
    return (values.astype(np.int64) * 510 + top) // (2 * top)


def over(rgb, alpha, background=255):
    value = rgb * alpha + background * (255 - alpha)
    return (2 * value + 255) // 510


def png_cases():
    for color, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            for interlaced in (False, True):
                for transparent in (False, True):
                    if transparent and color in (4, 6):
                        continue
                    suffix = ("_interlaced" if interlaced else "") + ("_trns" if transparent else "")
                    yield png_case(f"png_c{color}_d{depth}{suffix}", color, depth, interlaced, transparent, 23, 17)
    for width, height in ((1, 1), (2, 3), (5, 4), (9, 8)):
        yield png_case(f"png_{width}x{height}_interlaced", 6, 8, True, False, width, height)


def png_case(name, color, depth, interlaced, transparent, width, height):
    channels = CHANNELS[color]
    top = (1 << depth) - 1
    wide = picture(width, height, channels).astype(np.int64) * 257 + np.arange(width)[None, :, None] * 11
    samples = (wide & 0xFFFF) >> (16 - depth)
    before = []
    alpha = None
    if color == 3:
        palette = (np.arange((top + 1) * 3) * 37 + 11).reshape(-1, 3) & 255
        before.append((b"PLTE", palette.astype(np.uint8).tobytes()))
        rgb = palette[samples[..., 0]]
        if transparent:
            opacity = np.full(top + 1, 255)
            short = max(1, (top + 1) // 2)
            opacity[:short] = (np.arange(short) * 53) & 255
            before.append((b"tRNS", opacity[:short].astype(np.uint8).tobytes()))
            alpha = opacity[samples[..., 0]][..., None]
    else:
        color_samples = samples[..., : 3 if channels >= 3 else 1]
        rgb = np.repeat(to8(color_samples, depth), 3 // color_samples.shape[-1], axis=-1)
        if channels in (2, 4):
            alpha = to8(samples[..., -1:], depth)
        elif transparent:
            key = color_samples[height // 2, width // 2]
            before.append((b"tRNS", key.astype(">u2").tobytes()))
            alpha = np.where((color_samples == key).all(axis=-1, keepdims=True), 0, 255)
    pixels = rgb if alpha is None else over(rgb, alpha)
    data = png(samples, color, depth, interlaced, before)
    # Pillow truncates 16 bits to 8, and compares tRNS with greys that it has already scaled up from 2 or 4 bits.
    if depth < 16 and not (color == 0 and depth in (2, 4) and transparent):
        check_with_pillow(name, data, pixels)
    return name + ".png", data, pixels


def check_with_pillow(name, data, pixels):
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    shown = Image.new("RGB", image.size, "white")
    shown.paste(image, mask=image.getchannel("A"))
    assert np.array_equal(np.asarray(shown), pixels), name


# JPEG


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 90, **options})
    return out.getvalue()


def transformed(data, *options):
    return subprocess.run(["jpegtran", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def with_scans(data, script):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(script)
        file.flush()
        return transformed(data, "-scans", file.name)


def without_segment(data, marker):
    start = data.index(bytes([0xFF, marker]))
    (length,) = struct.unpack(">H", data[start + 2 : start + 4])
    return data[:start] + data[start + 2 + length :]


def with_adobe_transform(data, transform):
    start = data.index(b"Adobe")
    return data[: start + 11] + bytes([transform]) + data[start + 12 :]


def jpeg_cases():
    image = Image.fromarray(smooth(45, 37))
    grey = Image.fromarray(smooth(45, 37, 1)[..., 0])
    ink = Image.fromarray(smooth(45, 37, 4), "CMYK")
    baseline = saved(image, subsampling="4:2:0")
    cmyk = saved(ink)
    yield "jpeg_420", baseline
    yield "jpeg_422", saved(image, subsampling="4:2:2")
    yield "jpeg_444", saved(image, subsampling="4:4:4")
    yield "jpeg_440", transformed(saved(image, subsampling="4:2:2"), "-transpose")
    yield "jpeg_restarts", saved(image, subsampling="4:2:0", restart_marker_blocks=2)
    yield "jpeg_progressive", saved(image, progressive=True)
    yield "jpeg_progressive_grey", saved(grey, progressive=True)
    yield "jpeg_grey", saved(grey)
    yield "jpeg_separate_scans", with_scans(baseline, "0; 1; 2;")
    yield "jpeg_arithmetic", transformed(baseline, "-arithmetic")
    yield "jpeg_rgb_adobe", saved(image, keep_rgb=True)
    yield "jpeg_cmyk", cmyk
    yield "jpeg_cmyk_progressive", saved(ink, progressive=True)
    yield "jpeg_cmyk_without_adobe", without_segment(cmyk, 0xEE)
    yield "jpeg_ycck", with_adobe_transform(cmyk, 2)
    yield "jpeg_1x1", saved(Image.fromarray(smooth(1, 1)))
    yield "jpeg_1x40", saved(Image.fromarray(smooth(1, 40)))
    turned = Image.fromarray(smooth(21, 13))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"jpeg_orientation_{orientation}", saved(turned, exif=exif)
        yield f"jpeg_orientation_{orientation}_little_endian", saved(turned, exif=b"Exif\0\0" + little_endian_exif(orientation))


def little_endian_exif(orientation):
    """Two entries, the orientation second."""
    entries = struct.pack("<HHII", 0x010F, 2, 4, 0x00585858) + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + entries + struct.pack("<I", 0)


def jpeg_reference(data):
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


# Resizing


def resized(image, width, height):
    """Rows first, then columns: the order of every Pillow up to 12. Pillow 13 turns it round for some pictures that are taller than wide."""
    return image.resize((width, image.height), Image.Resampling.BILINEAR).resize((width, height), Image.Resampling.BILINEAR)


def resize_cases():
    for width, height, new_width, new_height in (
        (37, 29, 16, 16), (37, 29, 74, 58), (37, 29, 37, 10), (37, 29, 11, 29), (37, 29, 1, 1), (37, 29, 100, 3),
        (1, 50, 7, 90), (50, 1, 90, 7), (301, 203, 64, 43), (640, 5, 3, 2), (8, 8, 8, 8),
    ):  # fmt: skip
        image = Image.fromarray(picture(width, height))
        yield {"kind": "resize", "source": [width, height]}, np.asarray(resized(image, new_width, new_height))
    for width, height, size in (
        (301, 203, 64), (203, 301, 64), (37, 29, 64), (1, 600, 8), (600, 1, 8), (64, 64, 64),
        (65, 64, 64), (66, 64, 64), (67, 64, 64), (64, 69, 64), (100, 101, 33), (2, 3, 5), (33, 131, 16),
    ):  # fmt: skip
        yield {"kind": "square", "source": [width, height]}, np.asarray(square(Image.fromarray(picture(width, height)), size))


def square(image, size):
    """torchvision's Resize(size) and CenterCrop(size)."""
    shorter = min(image.size)
    width, height = (size if side == shorter else int(size * side / shorter) for side in image.size)
    image = resized(image, width, height)
    left, top = round((width - size) / 2.0), round((height - size) / 2.0)
    return image.crop((left, top, left + size, top + size))


def main(folder):
    for pattern in ("*.png", "*.jpg"):
        for stale in folder.glob(pattern):
            stale.unlink()
    cases = []
    pixels = bytearray()

    def add(case, reference):
        height, width = reference.shape[:2]
        cases.append({**case, "width": width, "height": height, "offset": len(pixels)})
        pixels.extend(reference.astype(np.uint8).tobytes())

    for name, data, reference in png_cases():
        (folder / name).write_bytes(data)
        add({"kind": "png", "file": name}, reference)
    for orientation in (1, 6, 7):
        samples = picture(23, 17)
        name = f"png_orientation_{orientation}.png"
        data = png(samples, 2, 8, after=[(b"eXIf", little_endian_exif(orientation))], before=[(b"gAMA", struct.pack(">I", 100000))])
        (folder / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        image.load()
        add({"kind": "png", "file": name}, np.asarray(ImageOps.exif_transpose(image)))
    for name, data in jpeg_cases():
        (folder / (name + ".jpg")).write_bytes(data)
        add({"kind": "jpeg", "file": name + ".jpg"}, jpeg_reference(data))
    for case, reference in resize_cases():
        add(case, reference)
    (folder / "pixels.bin").write_bytes(pixels)
    lines = ",\n".join(" " + json.dumps(case) for case in cases)
    (folder / "manifest.json").write_text("[\n" + lines + "\n]\n")


if __name__ == "__main__":
    main(Path(__file__).parent)
