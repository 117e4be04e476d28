"""NumPy files whose heads promise what is not there."""

import struct

from .case import Case

_KIND = "application/x-npy"
_OVERFLOWS = ("(9223372036854775807,)", "(4611686018427387904, 4)", "(4294967296, 4294967296)")


def npy(head, data, version=1):
    form = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(form, len(head)) + head + data


def described(shape, descr="'<i4'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()


def cases():
    for name, body in _bodies():
        yield Case(f"npy: {name}", body, _KIND, path="/decode")


def _bodies():
    data = bytes(4 * 512)
    plain = described("(512,)")
    for mega in (0.2, 10, 30):
        spaces = b" " * int(mega * 1e6)
        yield f"a head of {mega} MB", npy(plain[:-1] + spaces + b"\n", data, 2)
    yield "a head of 4 GB that is not there", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + plain + data
    yield "a head of 64 KB", npy(plain[:-1] + b" " * 65_000 + b"\n", data)
    yield "no head", npy(b"", data)
    yield "an empty file", b"\x93NUMPY"
    for shape in (
        "(-512,)",
        "(-1, -512)",
        "(9223372036854775807,)",
        "(4611686018427387904, 4)",
        "(4294967296, 4294967296)",
        "(0,)",
        "(512, 0)",
        "()",
    ):
        yield f"shape {shape}", npy(described(shape), data)
    yield "shape of 100,000 ones", npy(described("(" + "1, " * 100_000 + "512)"), data, 2)
    yield "a size of 200,000 digits", npy(described("(" + "9" * 200_000 + ",)"), data, 2)
    yield "200,000 brackets", npy(described("(" * 200_000 + "512" + ")" * 200_000), data, 2)
    yield "a list as description", npy(described("(512,)", "[('a', '<i4')]"), data)
    yield "nested lists as description", npy(described("(512,)", "[" * 100_000 + "]" * 100_000), data, 2)
    yield "objects", npy(described("(512,)", "'|O'"), b"\x80\x04cos\nsystem\n" + data)
    for descr in ("'<f4'", "'>i8'", "'|u1'", "'<c16'", "'|S1000000000'", "'<i999999999'"):
        yield f"description {descr}", npy(described("(512,)", descr), data)
    yield "Fortran's order", npy(described("(512,)", order="True"), data)
    yield "Fortran's order, two dimensions", npy(described("(2, 256)", order="True"), data)
    yield "10,000 keys", npy(b"{" + b"'a': 1, " * 10_000 + plain[1:], data, 2)
    yield "a string that is never closed", npy(b"{'descr': '" + b"a" * 100_000, data, 2)
    yield "version 9", npy(plain, data, 9)
    yield "less data than its shape", npy(plain, data[:-1])
    yield "200 KB behind its data", npy(plain, data + bytes(200_000))
    yield "31 MB behind its data", npy(plain, data + bytes(31 << 20))
