"""JPEG of next to no bytes: every block is one code of one bit, or one of 32,767 in a run."""

import itertools
import random
import struct

from .case import Case

BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS, ARITHMETIC, ARITHMETIC_PROGRESSIVE = 0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA
_START, _END = b"\xff\xd8", b"\xff\xd9"


def segment(marker, data=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(data)) + data


def quantisation(step=16):
    return segment(0xDB, b"\x00" + bytes([step]) * 64)


def huffman(kind, identifier, *symbols):
    """A table whose n-th symbol is n ones and a zero: `kind` 0 for DC, 1 for AC."""
    counts = [1] * len(symbols) + [0] * (16 - len(symbols))
    return segment(0xC4, bytes([kind << 4 | identifier]) + bytes(counts) + bytes(symbols))


def frame(marker, width, height, sampling=(0x11,), precision=8):
    components = b"".join(bytes([number + 1, factors, 0]) for number, factors in enumerate(sampling))
    return segment(marker, struct.pack(">BHHB", precision, height, width, len(sampling)) + components)


def scan(components=(1,), first=0, last=63, high=0, low=0):
    chosen = b"".join(bytes([component, 0x00]) for component in components)
    return segment(0xDA, bytes([len(components)]) + chosen + bytes([first, last, high << 4 | low]))


# DC: no difference. AC: end of the block; a run of 2^14 blocks or more that end.
_TABLES = quantisation() + huffman(0, 0, 0) + huffman(1, 0, 0)
_RUNS = quantisation() + huffman(0, 0, 0) + huffman(1, 0, 0xE0)
_LARGEST_TABLE = segment(0xC4, b"\x10" + bytes([0] * 7 + [255, 1] + [0] * 7) + bytes(range(256)))


def bits(text):
    """Entropy-coded bytes of '0' and '1', filled with ones and with a zero behind each 0xFF."""
    text += "1" * (-len(text) % 8)
    return int(text or "0", 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


def blocks(count, bits_each=2):
    """That many grey blocks: each a DC code and an AC code, zeros both."""
    return bytes(-(-count * bits_each // 8))


def runs(count):
    """An AC scan in which `count` blocks end at once: runs of 32,767, whose fourteen further bits are ones."""
    return bits(("0" + "1" * 14) * -(-count // 32767))


def jpeg(*parts, tables=_TABLES):
    return _START + tables + b"".join(parts) + _END


def blocks_of(width, height, sampling=(0x11,)):
    widest, highest = max(factors >> 4 for factors in sampling), max(factors & 15 for factors in sampling)
    units = -(-width // (8 * widest)) * -(-height // (8 * highest))
    return units * sum((factors >> 4) * (factors & 15) for factors in sampling)


def sequential(width, height, sampling=(0x11,), marker=BASELINE, before=b""):
    components = tuple(range(1, len(sampling) + 1))
    return jpeg(before, frame(marker, width, height, sampling), scan(components), blocks(blocks_of(width, height, sampling)))


def progressive(width, height, scans, components=1):
    """A DC scan, then AC scans that say nothing about each component in turn, each of its own band."""
    count, sampling = -(-width // 8) * -(-height // 8), (0x11,) * components
    parts = [scan(tuple(range(1, components + 1)), 0, 0), blocks(count * components, 1)]
    for number in range(scans - 1):
        component, band = number % components + 1, 1 + number // components % 63
        parts += [scan((component,), band, band), runs(count)]
    return jpeg(frame(PROGRESSIVE, width, height, sampling), *parts, tables=_RUNS)


def refinements(width, height, scans):
    """A first AC scan of each band, then refinements of it, again and again."""
    count = -(-width // 8) * -(-height // 8)
    parts = [scan((1,), 0, 0), blocks(count, 1), scan((1,), 1, 63, 0, 13), runs(count)]
    for number in range(scans - 2):
        low = 12 - number % 13
        parts += [scan((1,), 1, 63, low + 1, low), runs(count)]
    return jpeg(frame(PROGRESSIVE, width, height), *parts, tables=_RUNS)


def cases():
    for name, body, megapixels in itertools.chain(_large(), _scans(), _arithmetic(), _segments(), _markers(), _exif(), _broken()):
        yield Case(f"jpeg: {name}", body, "image/jpeg", megapixels)


def _large():
    n = 8000
    for name, sampling in (
        ("grey", (0x11,)),
        ("4:4:4", (0x11, 0x11, 0x11)),
        ("4:2:0", (0x22, 0x11, 0x11)),
        ("4:1:0 of 4×2", (0x42, 0x11, 0x11)),
        ("odd sampling 3:1", (0x31, 0x11, 0x11)),
        ("chroma finer than luma", (0x11, 0x22, 0x22)),
        ("CMYK", (0x11,) * 4),
        ("CMYK 4×1", (0x41, 0x11, 0x11, 0x41)),
    ):
        yield f"{name} 8000²", sequential(n, n, sampling), 64
    adobe = segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x02")
    yield "YCCK 8000²", sequential(n, n, (0x11,) * 4, before=adobe), 64
    for width, height in ((65535, 1), (1, 65535), (65500, 977), (977, 65500)):
        yield f"grey {width}×{height}", sequential(width, height), width * height / 1e6
        yield f"progressive {width}×{height}", progressive(width, height, 10), width * height / 1e6
    separate = [part for number in (1, 2, 3) for part in (scan((number,)), blocks(blocks_of(n, n)))]
    yield "sequential in three scans 8000²", jpeg(frame(BASELINE, n, n, (0x11,) * 3), *separate), 64
    small = [part for number in (1, 2, 3) for part in (scan((number,)), blocks(blocks_of(2000, 2000)))]
    yield "sequential in three scans 2000²", jpeg(frame(BASELINE, 2000, 2000, (0x11,) * 3), *small), 4


def _scans():
    for side, scans in ((8000, 2), (8000, 10), (8000, 31), (8000, 100), (8000, 1000), (2000, 10), (2000, 100), (2000, 1000)):
        yield f"progressive grey {side}², {scans} scans", progressive(side, side, scans), side * side / 1e6
    yield "progressive colour 8000², 10 scans", progressive(8000, 8000, 10, 3), 64
    yield "progressive colour 4000², 10 scans", progressive(4000, 4000, 10, 3), 16
    yield "progressive CMYK 8000², 10 scans", progressive(8000, 8000, 10, 4), 64
    yield "progressive grey 256², 10,000 scans", progressive(256, 256, 10_000), 0.07
    yield "progressive grey 16², 500,000 scans", progressive(16, 16, 500_000), 0
    yield "refinements 8000², 31 scans", refinements(8000, 8000, 31), 64
    yield "refinements 2000², 500 scans", refinements(2000, 2000, 500), 4
    whole = scan(), blocks(blocks_of(1000, 1000))
    yield "baseline, its only scan 300 times, 1000²", jpeg(frame(BASELINE, 1000, 1000), *(whole * 300)), 1
    starts = b"".join(scan((1,), 0, 0) for _ in range(2000))
    yield "progressive 4000², 2,000 scans without data", jpeg(frame(PROGRESSIVE, 4000, 4000), starts, tables=_RUNS), 0


def _arithmetic():
    for marker, name in ((ARITHMETIC, "arithmetic"), (ARITHMETIC_PROGRESSIVE, "arithmetic progressive")):
        last = 0 if marker == ARITHMETIC_PROGRESSIVE else 63
        yield f"{name} 8000²", jpeg(frame(marker, 8000, 8000), scan((1,), 0, last), bytes(64)), 0
    many = [scan((1,), 0, 0), bytes(8)]
    for number in range(30):
        many += [scan((1,), 1 + number, 1 + number), bytes(8)]
    yield "arithmetic progressive 8000², 31 scans", jpeg(frame(ARITHMETIC_PROGRESSIVE, 8000, 8000), *many), 0
    late = jpeg(frame(BASELINE, 8, 8), frame(ARITHMETIC, 8000, 8000), scan(), bytes(64))
    yield "arithmetic behind a baseline frame", late, 0


def _segments():
    """As many bytes as a body may have, in segments before a picture of one block."""
    count = 7 << 20
    for name, part in (
        ("COM", segment(0xFE)),
        ("APP0", segment(0xE0)),
        ("APP1", segment(0xE1)),
        ("APP2 ICC_PROFILE", segment(0xE2, b"ICC_PROFILE\x00\x01\xff")),
        ("APP14 Adobe", segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01")),
        ("DRI", segment(0xDD, b"\x00\x01")),
        ("DQT", quantisation()),
        ("DHT", huffman(1, 0, *range(16))),
        ("DHT of 256 symbols", _LARGEST_TABLE),
        ("DAC", segment(0xCC, b"\x00\x10")),
        ("empty DQT", segment(0xDB)),
    ):
        repeated = part * (4 * count // len(part))
        yield f"28 MB of {name}", sequential(8, 8, before=repeated), 0
    yield "COM of 64 KB, 400 times", sequential(8, 8, before=segment(0xFE, bytes(65533)) * 400), 0
    yield "28 MB of 0xFF before a marker", _START + b"\xff" * (28 << 20) + sequential(8, 8)[2:], 0
    yield "28 MB of zeros before a marker", _START + bytes(28 << 20) + sequential(8, 8)[2:], 0
    yield "28 MB of zeros behind its end", sequential(8, 8) + bytes(28 << 20), 0
    yield "Huffman tables between 2,000 scans, 256²", _tables_between_scans(2000), 0.07


def _tables_between_scans(scans):
    count, parts = 1024, [scan((1,), 0, 0), blocks(1024, 1)]
    for number in range(scans):
        parts += [_LARGEST_TABLE * 50, huffman(1, 0, 0xE0), scan((1,), 1 + number % 63, 1 + number % 63), runs(count)]
    return jpeg(frame(PROGRESSIVE, 256, 256), *parts, tables=_RUNS)


def _markers():
    """Inside the entropy-coded data."""
    head = frame(BASELINE, 8000, 8000), scan()
    restarts = b"".join(b"\x3f" + bytes([0xFF, 0xD0 + number % 8]) for number in range(1_000_000))
    yield "a restart behind each of a million blocks", jpeg(segment(0xDD, b"\x00\x01"), *head, restarts), 64
    yield "28 MB of restarts", jpeg(segment(0xDD, b"\x00\x01"), *head, b"\xff\xd0\xff\xd3" * (7 << 20)), 0
    yield "28 MB of 0xFF", jpeg(*head, b"\xff" * (28 << 20)), 0
    yield "28 MB of stuffed 0xFF", jpeg(*head, b"\xff\x00" * (14 << 20)), 0
    yield "28 MB of noise", jpeg(*head, random.Random(3).randbytes(28 << 20).replace(b"\xff", b"\xfe")), 64
    yield "28 MB of noise, progressive", _noise(PROGRESSIVE), 64
    yield "DNL", jpeg(frame(BASELINE, 8000, 0), scan(), blocks(1_000_000), segment(0xDC, struct.pack(">H", 8000))), 0
    yield "DNL that says more", jpeg(frame(BASELINE, 8, 8), scan(), blocks(1), segment(0xDC, b"\xff\xff")), 0


def _noise(marker):
    noise = random.Random(4).randbytes(28 << 20).replace(b"\xff", b"\xfe")
    parts = [scan((1,), 0, 0), noise[: 1 << 20]]
    for number in range(27):
        parts += [scan((1,), 1 + number, 63), noise[number << 20 : number + 1 << 20]]
    return jpeg(frame(marker, 8000, 8000), *parts, tables=quantisation() + huffman(0, 0, *range(12)) + huffman(1, 0, *range(16)))


def _exif():
    little = b"Exif\x00\x00II*\x00\x08\x00\x00\x00"
    entry = struct.pack("<HHII", 0x0112, 3, 1, 6)
    loop = struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    yield "EXIF whose directory leads back", sequential(8, 8, before=segment(0xE1, little + loop)), 0
    many = struct.pack("<H", 5000) + struct.pack("<HHII", 1, 3, 1, 0) * 5000
    yield "EXIF of 5,000 entries, 400 times", sequential(8, 8, before=segment(0xE1, little + many) * 400), 0
    yield "EXIF of 65,535 entries in 10 bytes", sequential(8, 8, before=segment(0xE1, little + b"\xff\xff" + bytes(10))), 0
    turned = struct.pack("<H", 1) + entry + bytes(4)
    for name, marker in (("", BASELINE), ("progressive ", PROGRESSIVE)):
        picture = sequential(8000, 8000, (0x22, 0x11, 0x11)) if marker == BASELINE else progressive(8000, 8000, 4)
        yield f"EXIF, turned {name}8000²", _START + segment(0xE1, little + turned) + picture[2:], 64


def _broken():
    for marker, name in ((BASELINE, "baseline"), (PROGRESSIVE, "progressive")):
        whole = jpeg(frame(marker, 8000, 8000, (0x11,) * 3), scan((1, 2, 3), 0, 63 if marker == BASELINE else 0))
        yield f"{name} 8000² without data", whole, 0
        yield f"{name} 8000² without data or end", whole[:-2], 0
    yield "grey 65535×65535", jpeg(frame(BASELINE, 65535, 65535), scan(), bytes(64)), 0
    yield "progressive 65535×65535", jpeg(frame(PROGRESSIVE, 65535, 65535), scan((1,), 0, 0), bytes(64)), 0
    yield "grey 8000², half", sequential(8000, 8000)[:125_000], 32
    yield "lossless", jpeg(frame(LOSSLESS, 8000, 8000), scan((1,), 1, 0), bytes(64)), 0
    yield "12 bits", jpeg(frame(EXTENDED, 8000, 8000, precision=12), scan(), blocks(1_000_000)), 0
    yield "255 components", jpeg(frame(BASELINE, 8000, 8000, (0x11,) * 255), scan(), bytes(64)), 0
    yield "sampling 4×4", jpeg(frame(BASELINE, 8000, 8000, (0x44, 0x11, 0x11)), scan((1, 2, 3)), bytes(64)), 0
    yield "sampling 0×0", jpeg(frame(BASELINE, 8000, 8000, (0x00,)), scan(), bytes(64)), 0
    yield "100,000 frames", jpeg(frame(BASELINE, 8, 8) * 100_000, scan(), blocks(1)), 0
    yield "codes that are not in the table", jpeg(frame(BASELINE, 8000, 8000), scan(), b"\xfe" * (1 << 20)), 0
