"""Forms that make a reader search."""

import zlib

from . import png
from .case import Case

_MOST = 31 << 20


def cases():
    for name, boundary, body in _bodies():
        yield Case(f"multipart: {name}", body, f"multipart/form-data; boundary={boundary}")


def _part(data, boundary=b"x", headers=b'Content-Disposition: form-data; name="a"; filename="a"\r\n'):
    return b"--" + boundary + b"\r\n" + headers + b"\r\n" + data + b"\r\n"


def _bodies():
    pixel = png.png(png.header(1, 1), zlib.compress(b"\x00\x01\x02\x03"))
    end = b"--x--\r\n"
    yield "10,000 parts", "x", _part(pixel) * 10_000 + end
    yield "500,000 empty parts", "x", b"--x\r\n\r\n\r\n" * 500_000 + end
    long = b"-" * 69 + b"x"
    near = b"\r\n--" + long[:-1] + b"y"
    yield "400,000 near misses of its boundary", long.decode(), _part(near * 400_000, long) + b"--" + long + b"--\r\n"
    yield "31 MB of dashes", "-" * 69 + "x", _part(b"\r\n" + b"-" * _MOST, long) + b"--" + long + b"--\r\n"
    yield "31 MB of line ends", "x", _part(b"\r\n" * (_MOST // 2)) + end
    yield "31 MB of carriage returns", "x", _part(b"\r" * _MOST) + end
    yield "31 MB before its first boundary", "x", b"\r\n--y" * (_MOST // 5) + b"\r\n" + _part(pixel) + end
    yield "31 MB behind its last", "x", _part(pixel) + end + bytes(_MOST)
    yield "no boundary in 31 MB", "x", bytes(_MOST)
    yield "it never ends", "x", _part(bytes(_MOST))
    yield "1,000,000 header lines", "x", _part(pixel, headers=b"A: b\r\n" * 1_000_000) + end
    yield "a header of 31 MB", "x", _part(pixel, headers=b"A: " + b"b" * _MOST + b"\r\n") + end
    yield "headers that never end", "x", b"--x\r\n" + b"A: b\r\n" * (_MOST // 6)
    yield "a file name of 31 MB", "x", _part(pixel, headers=b'Content-Disposition: form-data; name="' + b"\\" * _MOST + b'"\r\n') + end
    yield "a form in a form, 1,000 deep", "x", b"".join(b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" for _ in range(1000)) + end
    yield "a boundary of 71", "y" * 71, _part(pixel, b"y" * 71) + b"--" + b"y" * 71 + b"--\r\n"
    yield "an empty boundary", '""', b"--\r\n\r\n" * 1_000_000
    yield "parts of base64", "x", _part(b"AAAA" * 1_000_000, headers=b"Content-Transfer-Encoding: base64\r\n") + end
