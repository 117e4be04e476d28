"""zlib streams with far more in them than they weigh."""

import functools
import zlib

_BLOCK = 1 << 20


@functools.cache
def _zeros():
    """A megabyte of zeros as whole blocks: it may be repeated, because its end is a byte's and it refers to nothing before it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(bytes(_BLOCK)) + compressor.flush(zlib.Z_FULL_FLUSH)


def zeros(count, first=b""):
    """A stream of `first` and at least `count` zeros, in time that hardly grows with them."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = compressor.compress(first) + compressor.flush(zlib.Z_FULL_FLUSH)
    blocks = -(-count // _BLOCK)
    return b"\x78\xda" + start + _zeros() * blocks + b"\x03\x00" + _checksum(first, blocks * _BLOCK)


def _checksum(first, zeros):
    a, b = zlib.adler32(first) & 0xFFFF, zlib.adler32(first) >> 16
    return ((b + zeros * a) % 65521 << 16 | a).to_bytes(4, "big")


def repeated(row, count):
    """`count` equal rows."""
    compressor, together = zlib.compressobj(9), max(1, _BLOCK // len(row))
    some = row * together
    parts = [compressor.compress(some) for _ in range(count // together)]
    return b"".join(parts) + compressor.compress(row * (count % together)) + compressor.flush()


def empty_blocks(data, count):
    """`data` behind `count` stored blocks with nothing in them."""
    return b"\x78\xda" + b"\x00\x00\x00\xff\xff" * count + zlib.compress(data, 9)[2:]


def tables(data, count):
    """`data` behind blocks without data that each bring Huffman tables of their own, which a decoder builds."""
    # Eight of them end on a byte's edge, whatever their length.
    return b"\x78\xda" + _bytes(_table_block() * 8) * (count // 8) + zlib.compress(data, 9)[2:]


def _table_block():
    """The bits of one: 286 literal and length codes and 30 distances, all of eight or nine, four or five bits, then the end."""
    # Lengths, complete as RFC 1951 wants: 226 of 8 bits and 60 of 9, 2 of 4 and 28 of 5.
    lengths = [8] * 226 + [9] * 60 + [4] * 2 + [5] * 28
    # The code for lengths: four symbols of two bits, in the order of their values 4, 5, 8, 9.
    codes = {4: "00", 5: "01", 8: "10", 9: "11"}
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    head = "0" + "01" + _number(286 - 257, 5) + _number(30 - 1, 5) + _number(19 - 4, 4)
    head += "".join(_number(2 if value in codes else 0, 3) for value in order)
    # The end of the block is symbol 256, the 31st of the codes of nine bits.
    end = format(226 * 2 + 30, "09b")
    return head + "".join(codes[length] for length in lengths) + end


def _number(value, bits):
    """Numbers are sent with their lowest bit first, codes with their highest."""
    return format(value, f"0{bits}b")[::-1]


def _bytes(bits):
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
