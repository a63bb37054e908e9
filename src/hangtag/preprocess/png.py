"""What Pillow leaves undone in a PNG: checksums, and the lower bytes of 16-bit colour.

Source: Portable Network Graphics (Third Edition), W3C 2025: chunks (5), filters (9), interlacing (8.2).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIXTEEN_BITS = ("RGB;16B", "LA;16B", "RGBA;16B")  # as Pillow calls those of which it gives the upper 8
_SCALES = {"1": 255, "L;2": 85, "L;4": 17}  # of pixels that have fewer bits than 8
_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each colour type
_PIECE = 1 << 20  # bytes unpacked at once, and the most that may stand behind the last row
_WHOLE_PASS = ((0, 0, 1, 1),)
# Across, down, and the steps in either direction.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def checked(content: bytes) -> bytes:
    """The PNG up to its end, without the chunks beside the image that are damaged.

    Raises:
        HangtagError: `image_truncated` if it does not run to its end; `image_damaged` if the checksum of a chunk that
            the pixels depend on is wrong.
    """
    bad: set[bytes] = set()
    end = 8
    for name, start, end in _chunks(content):
        body_and_name = memoryview(content)[start + 4 : end - 4]
        if zlib.crc32(body_and_name) == int.from_bytes(content[end - 4 : end], "big"):
            continue
        if not name.isalpha() or name[:1].isupper() or name == b"tRNS":
            told = ascii(name.decode("latin-1"))
            message = f"the PNG is damaged: the checksum of its chunk {told} is wrong: copy or download it again"
            raise HangtagError("image_damaged", message)
        bad.add(name)
    if not bad:
        return content[:end]
    if bad & _ANIMATION:  # frames do not make sense without each other; the image itself needs none of them
        bad |= _ANIMATION
    kept = [content[start:end] for name, start, end in _chunks(content) if name not in bad]
    return SIGNATURE + b"".join(kept)


def check_pixels(content: bytes) -> None:
    """Unpack the pixels and drop them: Pillow takes missing rows for black ones, and leaves a checksum unread.

    Args:
        content: a PNG that is `checked`, of a size that is accepted.

    Raises:
        HangtagError: `image_truncated` if rows or their checksum are missing; `image_damaged` if they do not unpack.
    """
    header, bodies = _coded(content)
    if len(header) != 13 or not bodies:
        return  # Pillow says what is wrong
    wanted = sum(rows * row for rows, row in _passes(header))
    inflater, size = zlib.decompressobj(), 0
    try:
        for body in bodies:
            while body and not inflater.eof:
                size += len(inflater.decompress(body, _PIECE))
                body = inflater.unconsumed_tail
                if size > wanted + _PIECE:
                    raise zlib.error("more rows than the header says")
        while not inflater.eof and (rest := inflater.decompress(b"", _PIECE)):
            size += len(rest)
    except zlib.error as error:
        message = "the PNG is damaged: its pixels do not unpack: copy or download it again"
        raise HangtagError("image_damaged", message) from error
    if size < wanted or not inflater.eof:  # nobody writes a PNG without the checksum at its end
        raise HangtagError("image_truncated", "the PNG ends before its last pixel: copy or download it again")


def _coded(content: bytes) -> tuple[bytes, list[bytes]]:
    """The header, and the parts of the packed pixels."""
    header, bodies = b"", []
    for name, start, end in _chunks(content):
        if name == b"IHDR":
            header = content[start + 8 : end - 4]
        elif name == b"IDAT":
            bodies.append(content[start + 8 : end - 4])
    return header, bodies


def _passes(header: bytes) -> list[tuple[int, int]]:
    """Of each pass over the image: rows, and bytes of a row, the one that names its filter included."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(colour, 0)
    return [
        (-(-(height - y) // down), 1 + (bits * -(-(width - x) // right) + 7) // 8)
        for x, y, right, down in (_ADAM7 if interlaced else _WHOLE_PASS)
        if bits and width > x and height > y
    ]


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk, to the last."""
    position, name = 8, b""
    while name != b"IEND":
        length, name = int.from_bytes(content[position : position + 4], "big"), content[position + 4 : position + 8]
        end = position + 12 + length
        if len(name) < 4 or end > len(content):
            raise HangtagError("image_truncated", "the PNG ends too early: copy or download it again")
        yield name, position, end
        position = end


def scaled_key(key: int, coded: str) -> int:
    """The grey that is see-through, scaled as Pillow scales pixels of 1, 2 and 4 bits, but not this key."""
    scale = _SCALES.get(coded, 1)
    return (key & (255 // scale)) * scale


def lower_bytes(content: bytes) -> bytes:
    """A PNG of 8 bits with the lower bytes of one of 16: Pillow gives the upper ones alone.

    Filters work on each byte of a pixel by itself, so every second byte of a filtered row is a filtered row too.

    Args:
        content: a PNG of 16 bits that is `checked`.

    Raises:
        ValueError: it has no 16 bits, or not all of its pixels.
    """
    header, bodies = _coded(content)
    if header[8] != 16:
        raise ValueError("the PNG has no 16 bits")
    passes = _passes(header)
    size = sum(rows * row for rows, row in passes)
    rows_of_both = np.frombuffer(zlib.decompressobj().decompress(b"".join(bodies), size), np.uint8)
    if len(rows_of_both) != size:
        raise ValueError("the PNG does not hold all of its pixels")
    halves: list[NDArray[np.uint8]] = []
    start = 0
    for rows, row in passes:
        both = rows_of_both[start : start + rows * row].reshape(rows, row)
        halves.append(both[:, ::2].reshape(-1))  # the filter, then the second byte of each value
        start += rows * row
    body = zlib.compress(np.concatenate(halves).tobytes(), 0)
    parts = ((b"IHDR", header[:8] + b"\x08" + header[9:]), (b"IDAT", body), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(*part) for part in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
