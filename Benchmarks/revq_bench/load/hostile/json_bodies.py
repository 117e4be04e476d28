"""JSON that is deep, long or strange, for `/encode` and `/decode`."""

import base64
import itertools
import struct
import zlib

from . import png
from .case import Case

_KIND = "application/json"
_MOST = 31 << 20


def cases(tokens):
    """`tokens` is what `/encode` answered: a document that `/decode` takes."""
    for name, body in itertools.chain(_images(), _base64()):
        yield Case(f"json: {name}", body, _KIND)
    large = png.png(png.header(8000, 8000, 8, png.GREY), png.rows(8000, 8000, 8, png.GREY))
    yield Case("json: base64 of a grey PNG 8000²", _quoted(base64.b64encode(large)), _KIND, 64)
    for name, piece in (("blanks", b" "), ("a blank behind every character", b"A "), ("a line break behind every group", b"AAAA\\n")):
        yield Case(f"json: base64 of 31 MB with {name}", _quoted(piece * (_MOST // len(piece))), _KIND)
    for name, body in _tokens(tokens):
        yield Case(f"tokens: {name}", body, _KIND, path="/decode")


def _image(text):
    return b'{"image": ' + text + b"}"


def _quoted(text):
    return _image(b'"' + text + b'"')


def _images():
    for name, one, other in (("arrays", b"[", b"]"), ("objects", b'{"a":', b"}")):
        count = _MOST // len(one + other)
        yield f"31 MB of nested {name}", _image(one * count + b"0" + other * count)
        yield f"{name} that are never closed", _image(one * (_MOST // len(one)))
    yield "a number of 31 MB", _image(b"9" * _MOST)
    yield "1e999999999", _image(b"1e999999999")
    yield "an exponent of 31 MB", _image(b"1e" + b"9" * _MOST)
    yield "a fraction of 31 MB", _image(b"0." + b"1" * _MOST)
    yield "5,000,000 \\u0041", _image(b'"' + b"\\u0041" * 5_000_000 + b'"')
    yield "5,000,000 lone surrogates", _image(b'"' + b"\\ud800" * 5_000_000 + b'"')
    yield "15,000,000 escapes", _image(b'"' + b"\\/" * 15_000_000 + b'"')
    yield "1,000,000 keys", b"{" + b",".join(b'"%d":0' % number for number in range(1_000_000)) + b"}"
    yield "2,000,000 times the same key", b"{" + b",".join([b'"image":""'] * 2_000_000) + b"}"
    yield "a key of 31 MB", b'{"' + b"a" * _MOST + b'": 0}'
    yield "31 MB of spaces", b" " * _MOST + _image(b'""')
    yield "31 MB behind its end", _image(b'""') + b" " * _MOST + b"x"
    yield "a string that is never closed", _image(b'"' + b"A" * _MOST)
    yield "bytes that are not UTF-8", _image(b'"' + b"\xff\xfe\xc0\x80" * 1_000_000 + b'"')
    yield "control characters", _image(b'"' + b"\x01" * 1_000_000 + b'"')
    yield "31 MB of zeros", bytes(_MOST)


def _base64():
    yield "31 MB of base64 that is no picture", _quoted(b"A" * (_MOST & ~3))
    yield "31 MB of base64 whose last character is wrong", _quoted(b"A" * ((_MOST & ~3) - 1) + b"!")
    yield "31 MB of =", _quoted(b"=" * _MOST)
    yield "base64 in lines", _quoted(b"AAAA\\r\\n" * 3_000_000)
    yield "base64 in escapes", _quoted(b"\\u0041" * 4_000_000)
    whole = png.png(png.header(1, 1), zlib.compress(b"\x00\x01\x02\x03"))
    yield "base64 of a PNG with 20 MB behind it", _quoted(base64.b64encode(whole + bytes(20 << 20)))


def _tokens(document):
    start = document.index(b'"tokens":')
    begin, end = document.index(b"[", start), document.index(b"]", start)
    put = lambda text: document[:begin] + text + document[end + 1 :]
    yield "31 MB of tokens", put(b"[" + b"1," * (_MOST // 2) + b"1]")
    yield "400,000 tokens", put(b"[" + b"1," * 399_999 + b"1]")
    yield "numbers of 1,000 digits", put(b"[" + b",".join([b"1" * 1000] * 512) + b"]")
    yield "numbers of 1,000 zeros and an exponent", put(b"[" + b",".join([b"0." + b"0" * 1000 + b"1e1001"] * 512) + b"]")
    yield "numbers with an exponent of nine digits", put(b"[" + b",".join([b"1e999999999"] * 512) + b"]")
    yield "numbers with a negative exponent of nine digits", put(b"[" + b",".join([b"1e-999999999"] * 512) + b"]")
    yield "numbers beyond 64 bits", put(b"[" + b",".join([b"18446744073709551616"] * 512) + b"]")
    yield "nested arrays", put(b"[" * 200_000 + b"]" * 200_000)
    yield "strings", put(b"[" + b",".join([b'"1"'] * 512) + b"]")
    yield "a fingerprint of 200 KB", document.replace(b'"fingerprint":"', b'"fingerprint":"' + b"a" * 200_000)
    yield "20,000 keys", b"{" + b",".join(b'"%d":0' % number for number in range(20_000)) + b"}"
    yield "10,000 times its own tokens", b"{" + b",".join([document[start : end + 1]] * 100) + b"}"
    yield "a struct of bytes", struct.pack("<512i", *range(512))
