"""PNG that is larger inside than outside, or not PNG in some way."""

import itertools
import random
import struct
import zlib

from . import deflate
from .case import Case

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_COLOURS = bytes(range(256)) * 3


def chunk(name, data=b""):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width, height, depth=8, colour=RGB, interlace=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(head, stream, before=b"", after=b""):
    return _SIGNATURE + head + before + chunk(b"IDAT", stream) + after + _END


def row_bytes(width, depth, colour):
    return (width * depth * _SAMPLES[colour] + 7) // 8


def rows(width, height, depth=8, colour=RGB, kind=0):
    """Equal rows of zeros behind filter `kind`."""
    return deflate.repeated(bytes([kind]) + bytes(row_bytes(width, depth, colour)), height)


def interlaced_rows(width, height, depth, colour):
    """As many zeros as the seven passes take."""
    total = 0
    for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        columns, lines = -(-(width - x) // dx), -(-(height - y) // dy)
        total += lines * (1 + row_bytes(columns, depth, colour)) if columns > 0 and lines > 0 else 0
    return zlib.compress(bytes(total), 9)


def cases():
    for name, body, megapixels in itertools.chain(_large(), _behind(), _chunks(), _streams(), _broken()):
        yield Case(f"png: {name}", body, "image/png", megapixels)


def _large():
    """Within every limit on bytes and pixels: rows that are really there."""
    n, palette = 8000, chunk(b"PLTE", _COLOURS)
    for name, depth, colour, before in (
        ("grey 8000²", 8, GREY, b""),
        ("1-bit grey 8000²", 1, GREY, b""),
        ("palette 8000²", 8, PALETTE, palette),
        ("1-bit palette 8000²", 1, PALETTE, chunk(b"PLTE", bytes(6))),
        ("palette with transparency 8000²", 8, PALETTE, palette + chunk(b"tRNS", bytes(256))),
        ("RGB 8000²", 8, RGB, b""),
        ("RGB with a transparent colour 8000²", 8, RGB, chunk(b"tRNS", bytes(6))),
        ("16-bit grey 8000²", 16, GREY, b""),
        ("16-bit RGB 8000²", 16, RGB, b""),
        ("16-bit RGBA 8000²", 16, RGBA, b""),
    ):
        yield name, png(header(n, n, depth, colour), rows(n, n, depth, colour), before), n * n / 1e6
    for kind, name in ((1, "sub"), (3, "average"), (4, "Paeth")):
        yield f"RGB 8000², filter {name}", png(header(n, n), rows(n, n, kind=kind)), n * n / 1e6
    for name, depth, colour in (("grey", 8, GREY), ("RGB", 8, RGB), ("16-bit RGBA", 16, RGBA)):
        yield f"interlaced {name} 8000²", png(header(n, n, depth, colour, 1), interlaced_rows(n, n, depth, colour)), n * n / 1e6
    for width, height in ((65535, 1), (1, 65535), (65535, 976), (976, 65535), (64_000_000, 1), (1, 64_000_000)):
        yield f"grey {width}×{height}", png(header(width, height, 8, GREY), rows(width, height, 8, GREY)), width * height / 1e6
    yield "interlaced 1×65535", png(header(1, 65535, 8, GREY, 1), interlaced_rows(1, 65535, 8, GREY)), 0.07
    yield "interlaced 65535×1", png(header(65535, 1, 8, GREY, 1), interlaced_rows(65535, 1, 8, GREY)), 0.07


def _behind():
    """More than the picture."""
    pixel, gigabyte = b"\x00\x01\x02\x03", 1 << 30
    yield "a gigabyte behind 1×1", png(header(1, 1), deflate.zeros(gigabyte, pixel)), 0
    yield "eight gigabytes behind 1×1", png(header(1, 1), deflate.zeros(8 * gigabyte, pixel)), 0
    yield "a gigabyte behind 1×1, interlaced", png(header(1, 1, interlace=1), deflate.zeros(gigabyte, pixel)), 0
    parts = deflate.zeros(gigabyte, pixel)
    parts = b"".join(chunk(b"IDAT", parts[at : at + 100]) for at in range(0, len(parts), 100))
    yield "a gigabyte behind 1×1 in chunks of 100", _SIGNATURE + header(1, 1) + parts + _END, 0
    yield "a gigabyte behind 1000²", png(header(1000, 1000), deflate.zeros(gigabyte)), 1
    whole = png(header(1, 1), zlib.compress(pixel))
    yield "16 MB behind its end", whole + bytes(16 << 20), 0
    yield "itself 100,000 times", whole * 100_000, 0


def _chunks():
    """What surrounds the picture."""
    pixel, bomb = zlib.compress(b"\x00\x01\x02\x03"), deflate.zeros(1 << 30)
    head = header(1, 1)
    for name, before in (
        ("zTXt of a gigabyte", chunk(b"zTXt", b"a\x00\x00" + bomb)),
        ("iTXt of a gigabyte", chunk(b"iTXt", b"a\x00\x01\x00\x00\x00" + bomb)),
        ("iCCP of a gigabyte", chunk(b"iCCP", b"a\x00\x00" + bomb)),
        ("iCCP that claims 4 GB", chunk(b"iCCP", b"a\x00\x00" + zlib.compress(b"\xff\xff\xff\xff" + bytes(1 << 20)))),
        ("a thousand zTXt of a megabyte", chunk(b"zTXt", b"a\x00\x00" + deflate.zeros(1 << 20)) * 1000),
        ("300,000 tEXt", chunk(b"tEXt", b"a\x00b") * 300_000),
        ("1,000,000 unknown chunks", chunk(b"abCd") * 1_000_000),
        ("100,000 sPLT", chunk(b"sPLT", b"a\x00\x08" + bytes(60)) * 100_000),
        ("a sPLT of 16 MB", chunk(b"sPLT", b"a\x00\x08" + bytes(6 * 2_700_000))),
        ("100,000 gAMA", chunk(b"gAMA", b"\x00\x00\xb1\x8f") * 100_000),
        ("eXIf of 16 MB", chunk(b"eXIf", b"MM\x00*\x00\x00\x00\x08" + b"\xff" * (16 << 20))),
        ("eXIf whose directory leads back", chunk(b"eXIf", b"MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x08")),
        ("an unknown chunk of 31 MB", chunk(b"abCd", bytes(31 << 20))),
    ):
        yield name, png(head, pixel, before), 0
    yield "500,000 empty IDAT", _SIGNATURE + head + chunk(b"IDAT") * 500_000 + chunk(b"IDAT", pixel) + _END, 0
    noise = random.Random(1).randbytes(300 * (1 + 3 * 300))
    single = zlib.compress(b"".join(b"\x00" + noise[at : at + 900] for at in range(0, 300 * 900, 900)))
    parts = b"".join(chunk(b"IDAT", single[at : at + 1]) for at in range(len(single)))
    yield "IDAT of one byte, 270,000 times", _SIGNATURE + header(300, 300) + parts + _END, 0.1
    yield "APNG of 20,000 frames", png(head, pixel, chunk(b"acTL", struct.pack(">II", 20_000, 0)), _frames(20_000)), 0
    yield "APNG of 8000² frames", png(head, pixel, chunk(b"acTL", struct.pack(">II", 9, 0)), _frames(9, 8000)), 0


def _frames(count, side=1):
    data = rows(side, side)
    frames = []
    for number in range(count):
        control = struct.pack(">IIIIIHHBB", 2 * number, side, side, 0, 0, 1, 10, 0, 0)
        frames += [chunk(b"fcTL", control), chunk(b"fdAT", struct.pack(">I", 2 * number + 1) + data)]
    return b"".join(frames)


def _streams():
    """A few pixels in a stream that is work to read."""
    pixels = b"\x00\x01\x02\x03" * 4
    head = header(1, 4)
    yield "5,000,000 empty stored blocks", png(head, deflate.empty_blocks(pixels, 5_000_000)), 0
    yield "200,000 Huffman tables", png(head, deflate.tables(pixels, 200_000)), 0
    noise = b"".join(b"\x04" + row for row in [random.Random(2).randbytes(3 * 3000)] * 1000)
    yield "noise 3000×1000, Paeth, 9 MB", png(header(3000, 1000), zlib.compress(noise, 0)), 3
    checkered = deflate.repeated(b"\x04" + bytes((37 * i * i) & 255 for i in range(3 * 8000)), 8000)
    yield "patterned RGB 8000², Paeth", png(header(8000, 8000), checkered), 64


def _broken():
    pixel, head = zlib.compress(b"\x00\x01\x02\x03"), header(1, 1)
    whole = png(header(8000, 8000, 8, GREY), rows(8000, 8000, 8, GREY))
    wrong = bytearray(whole)
    wrong[-13] ^= 1
    yield "grey 8000², wrong CRC", bytes(wrong), 64
    yield "grey 8000², wrong Adler", png(header(8000, 8000, 8, GREY), rows(8000, 8000, 8, GREY)[:-1] + b"!"), 64
    yield "grey 8000², half", whole[: len(whole) // 2], 32
    yield "RGBA 8000² without rows", png(header(8000, 8000, 16, RGBA), zlib.compress(b"")), 0
    yield "interlaced RGBA 8000² without rows", png(header(8000, 8000, 16, RGBA, 1), zlib.compress(b"")), 0
    yield "grey 8001×8001", png(header(8001, 8001, 8, GREY), rows(8001, 8001, 8, GREY)), 0
    yield "2³¹-1 × 2³¹-1", png(header(2**31 - 1, 2**31 - 1), pixel), 0
    yield "0×0", png(header(0, 0), pixel), 0
    yield "4294967295×1", png(header(2**32 - 1, 1), pixel), 0
    yield "depth 3", png(header(1, 1, 3), pixel), 0
    yield "colour 5", png(header(1, 1, 8, 5), pixel), 0
    yield "two headers", png(head + header(8000, 8000), pixel), 0
    yield "no picture", _SIGNATURE + head + _END, 0
    yield "palette without colours", png(header(8, 8, 8, PALETTE), rows(8, 8, 8, PALETTE)), 0
    yield "palette of 16 MB", png(header(8, 8, 8, PALETTE), rows(8, 8, 8, PALETTE), chunk(b"PLTE", bytes(3 * 5_000_000))), 0
    yield "chunk of 4 GB", _SIGNATURE + head + b"\xff\xff\xff\xffIDAT" + pixel, 0
    yield "filter 9", png(header(8000, 8000), rows(8000, 8000, kind=9)), 0
    yield "wrong CRC of 16 MB of text", png(head, pixel, (chunk(b"tEXt", b"a\x00" + b"b" * (16 << 20))[:-1] + b"!")), 0
    yield "signature alone", _SIGNATURE, 0
