"""Makes pictures that cost far more than their bytes: PNGs of one pixel with image data behind it.

python Tests/TestSupport/Fixtures/images/make_hostile.py
"""

import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent / "hostile"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def one_pixel(zeroes_behind: int) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes([0, 1, 2, 3]) + bytes(zeroes_behind), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


(HERE / "png_64_megabytes_behind_one_pixel.png").write_bytes(one_pixel(1 << 26))
(HERE / "png_few_bytes_behind_one_pixel.png").write_bytes(one_pixel(5000))
