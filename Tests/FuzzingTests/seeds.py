#!/usr/bin/env python3
"""Writes the seeds of the fuzzers' corpora: small inputs that their readers accept, one for each thing they can say.

    python3 Tests/FuzzingTests/seeds.py

Few are pictures, for `make fuzz` takes Tests/TestSupport/Fixtures/images, too. What a fuzzer has found lies beside the seeds under libFuzzer's
name and is left alone.
"""

import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "TestSupport" / "Fixtures"


def http1():
    get = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
    chunked = "POST /encode?model=a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n0\r\nT: v\r\n\r\n"
    yield "get", b"\0" + get.encode()
    yield "pipelined", b"\2\x05\x30" + (get + "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get).encode()
    yield "length", b"\1\x40" + b"POST /decode HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nabcd" + get.encode()
    yield "chunked", b"\3\x50\x05\x02" + (chunked + get).encode()
    yield "smuggled", b"\0POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get.encode()
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    yield "upgrade", b"\0GET / HTTP/1.1\r\nHost: a\r\n" + upgrade.encode() + get.encode()
    yield "preface", b"\1\x08PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    yield "closing", b"\1\x01" + b"GET http://a/%2f?q=%41 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get.encode()


def http2():
    def frame(kind, stream=0, payload=b"", flags=0):
        return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload

    def head(stream, method="GET", more=b"", flags=5):
        text = {"GET": b"\x82", "POST": b"\x83"}[method]  # Of the static table, as \x86 (http) and \x84 (/).
        return frame(1, stream, text + b"\x86\x84\x41\x01a" + more, flags)

    def field(name, value):
        return bytes([0, len(name)]) + name + bytes([len(value)]) + value

    settings, acknowledged = frame(4), frame(4, flags=1)
    continued = head(3, flags=1) + frame(9, 3, field(b"x", b"y"), 4)
    yield "get", b"\0" + settings + head(1) + acknowledged + head(3) + head(5)
    yield (
        "bodies",
        b"\2\x30\x20"
        + settings
        + head(1, "POST", flags=4)
        + head(9, "POST", field(b"content-length", b"3"), 4)
        + (frame(0, 9, b"ab") + frame(0, 1, b"\3one\0\0\0", 8) + frame(0, 9, b"c", 1) + frame(0, 1, b"", 1)),
    )
    yield "continued", b"\1\x10" + settings + continued + head(5, "POST", flags=4) + frame(0, 5, b"x") + frame(1, 5, field(b"t", b"v"), 5)
    yield "reset", b"\0" + settings + head(7) + frame(3, 7, bytes([0, 0, 0, 8])) + head(15) + frame(7, payload=bytes(8))
    yield (
        "windows",
        b"\x81\x40"
        + frame(4, payload=bytes([0, 4, 0, 0, 0, 1]))
        + head(1)
        + frame(8, 1, bytes([0, 0, 0, 9]))
        + (frame(8, 0, bytes([0, 0, 0, 9])) + frame(6, payload=bytes(8)) + frame(2, 9, bytes([0, 0, 0, 1, 16]))),
    )
    yield "expecting", b"\3\x15\x20\x10" + settings + head(5, "POST", field(b"expect", b"100-continue"), 4) + frame(0, 5, bytes(300), 1)
    yield "malformed", b"\0" + settings + head(1, more=field(b"Connection", b"close")) + head(3, more=field(b"te", b"x")) + head(3)


def pictures(ending, *names):
    for name in names:
        yield name, (FIXTURES / "images" / f"{name}.{ending}").read_bytes()


def documents():
    tokens = {
        "model": "default",
        "version": 4,
        "fingerprint": "6afae73f6ebbf99a",
        "grid": {"latent": [64, 8, 8], "groups": 2},
        "tokens": [0, 1, 16383],
    }
    yield "tokens", json.dumps(tokens).encode()
    yield "tokens-short", b'{"tokens":[-1,9223372036854775807],"fingerprint":"\\u00e4\\ud83d\\ude00\\n"}'
    yield "image", b' { "image" : "iVBORw0KGgo=" } '


def arrays():
    def array(kind, shape, data, version=1):
        header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        length = struct.pack("<H" if version == 1 else "<I", len(header))
        return b"\x93NUMPY" + bytes([version, 0]) + length + header + data

    yield "int32", array("<i4", "(2,)", struct.pack("<2i", 5, -1))
    yield "int64", array("<i8", "(1, 2)", struct.pack("<2q", 5, 1 << 40))
    yield "uint16", array("<u2", "(1, 3)", struct.pack("<3H", 1, 2, 65535), version=2)
    yield "uint8", array("|u1", "(4,)", b"abcd", version=3)
    yield "float32", array("<f4", "()", struct.pack("<f", 1.5))


def packed():
    def container(values, bits, images, fingerprint=b"f1"):
        number = sum(value << bits * index for index, value in enumerate(values))
        head = b"RVQT" + struct.pack("<BBHII", 1, bits, len(fingerprint), images, len(values) // images) + fingerprint
        text = head + number.to_bytes((len(values) * bits + 7) // 8, "little")
        return text + struct.pack("<I", zlib.crc32(text))

    yield "one", container([40, 41, 42, 43], 9, 1)
    yield "two", container([1, 2, 3, 4, 5, 6], 14, 2)
    yield "wide", container([2**20 + 1], 31, 1, b"")


def forms():
    disposition = 'Content-Disposition: form-data; name="image"; filename="a.png"\r\n'
    part = disposition + "Content-Type: image/png\r\n\r\nPNG\r\n"
    yield "one", f"multipart/form-data; boundary=b\n--b\r\n{part}--b--\r\n".encode()
    yield "two", f'multipart/form-data; boundary="b b"\npreamble\r\n--b b  \r\n{part}--b b\r\n{disposition}\r\n\r\n--b b--'.encode()
    yield "json", b'application/json; charset=utf-8\n{"image":""}'


def inferences():
    def request(inputs, binary=b"", **more):
        text = json.dumps({"inputs": inputs} | more).encode()
        return struct.pack("<H", len(text)) + text + binary

    def tensor(name, kind, shape, data=None, size=0):
        return {"name": name, "shape": shape, "datatype": kind} | ({"data": data} if data else {"parameters": {"binary_data_size": size}})

    square = tensor("pixels", "FP32", [1, 2, 2, 3], [[[[0, 0.5, 1e-1], [1, 1, 1]], [[0, 0, 0], [0, 0, 1]]]])
    yield "json", b"\xff\xff" + request([tensor("tokens", "INT64", [1, 4], [1, 2, 3, 299])], parameters={"fingerprint": "f1", "x": 1})[2:]
    yield "binary", request([tensor("tokens", "UINT16", [4], size=8)], bytes(8), outputs=[{"name": "image", "parameters": {"binary_data": True}}])
    yield "files", request([tensor("image", "BYTES", [2, 1], size=9)], b"\1\0\0\0a\0\0\0\0", id="a")
    yield "base64", request([tensor("image", "BYTES", [1], ["iVBORw0KGgo="])])
    yield "floats", request([square])


def weights():
    def file(header, data):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    yield "float32", file({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, struct.pack("<2f", 1, -2))
    mixed = {
        "__metadata__": {"format": "pt"},
        "a.b": {"dtype": "F16", "shape": [1, 3], "data_offsets": [0, 6]},
        "c": {"dtype": "BF16", "shape": [], "data_offsets": [6, 8]},
        "d": {"dtype": "I64", "shape": [0, 4], "data_offsets": [8, 8]},
        "e": {"dtype": "I32", "shape": [1], "data_offsets": [8, 12]},
    }
    yield "mixed", file(mixed, bytes(12))


def manifests():
    manifest = json.loads((HERE.parents[1] / "checkpoints/default/000006/manifest.json").read_text())
    yield "klt", json.dumps(manifest).encode()
    manifest["quantizer"] |= {"codebooks": 2, "dimension": 16, "stages": 2}
    yield "stages", json.dumps(manifest).encode()
    manifest["quantizer"] = {"codebooks": 512, "codes": 16, "dimension": 8, "tokens": 512}
    for name, network in [
        ("vit", {"vit": {"width": 16, "depth": 1, "headDimension": 8, "scales": [5]}}),
        ("mlp", {"mlp": {"width": 24, "depth": 1}}),
        ("cnn", {"cnn": {"width": 24, "depth": 1, "rank": 4}}),
        ("linear", {"linear": {"_0": {"neighbourhood": {"size": 3}}}}),
    ]:
        manifest["rectifier"] = {"isResidual": True, "network": network}
        manifest["files"]["rectifier.safetensors"] = manifest["files"]["quantizer.safetensors"]
        yield name, json.dumps(manifest).encode()


def autoencoders():
    for name in ["dcae_in", "dcae_sana"]:
        yield name, json.dumps(json.loads((FIXTURES / name / "config.json").read_text())).encode()
    own = next((HERE.parents[1] / "checkpoints/default").glob("vae-*/config.json"))
    yield "patch-code", json.dumps(json.loads(own.read_text())).encode()


CORPORA = {
    "http1": http1(),
    "http2": http2(),
    "png": pictures("png", "png_1x1_interlaced", "png_c0_d2_trns", "png_c3_d4_interlaced_trns"),
    "jpeg": pictures("jpg", "jpeg_1x1", "jpeg_progressive_grey", "jpeg_separate_scans", "jpeg_orientation_6"),
    "json": documents(),
    "numpy": arrays(),
    "packed": packed(),
    "multipart": forms(),
    "inference": inferences(),
    "safetensors": weights(),
    "manifest": manifests(),
    "autoencoder": autoencoders(),
}

if __name__ == "__main__":
    for corpus, seeds in CORPORA.items():
        folder = HERE / "Corpora" / corpus
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (folder / name).write_bytes(data)
