"""IDX, the format of MNIST and its descendants: a magic number, the dimensions, then the bytes.

Source: the format's description on Yann LeCun's MNIST page: two zero bytes, a type (8: unsigned byte), the number of
dimensions, each dimension as a big-endian 32-bit number, then the values, last dimension fastest. The files are usually
gzipped.
"""

from __future__ import annotations

import math
import re
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError

GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 8
MAGIC = bytes((0, 0, _UNSIGNED_BYTE))  # of an unpacked file; the number of dimensions follows
_MOST_BYTES = 1 << 28  # what a header may promise where nothing else is known: 340,000 pictures of 28x28
_STEP = 1 << 16  # gzip grows at most 1,032-fold: one step of a bomb is 66 MB, cut to what is still wanted


def decode(content: bytes, shape: tuple[int | None, ...], where: str) -> NDArray[np.uint8]:
    """The array in an IDX file, gzipped or plain. Never unpacks more than the expected size, plus one byte.

    Args:
        content: the whole file.
        shape: the dimensions it must have; None leaves that one to the file's header.
        where: the file's name for messages.

    Returns:
        A writable array of unsigned bytes.

    Raises:
        HangtagError: `data_truncated` (it ends early), `data_not_gzip` (a web page), `data_format` (wrong magic, type
            or dimensions, damaged gzip) or `data_count` (another number of items, or bytes after the last).
    """
    if is_page(content):
        raise HangtagError(
            "data_not_gzip", f"{where} is a web page, not data: a login page may have answered in its place"
        )
    source: _Gzip | _Plain = _Gzip(content, where) if content[:2] == GZIP_MAGIC else _Plain(content)
    length = 4 + 4 * len(shape)
    header = source.take(length)
    if len(header) < length:
        raise _ends_early(where, len(header), f"a header of {length}")
    magic = struct.pack(">HBB", 0, _UNSIGNED_BYTE, len(shape))
    if header[:4] != magic:
        raise HangtagError(
            "data_format", f"{where} begins with {header[:4].hex(' ')}, IDX of this kind with {magic.hex(' ')}"
        )
    found = struct.unpack(f">{len(shape)}I", header[4:])
    if any(wanted not in (None, n) for wanted, n in zip(shape[1:], found[1:], strict=True)):
        raise HangtagError("data_format", f"{where} holds items of {_times(found[1:])}, not {_times(shape[1:])}")
    if shape[0] not in (None, found[0]):
        raise HangtagError("data_count", f"{where} holds {found[0]:,} items, not {shape[0]:,}")
    size = math.prod(found)
    if not 0 < size <= _MOST_BYTES:
        raise HangtagError(
            "data_count", f"{where} says it holds {_times(found)} values: from 1 to {_MOST_BYTES:,} are read"
        )
    values = np.empty(size, dtype=np.uint8)
    filled = source.fill(values.data)
    if filled < size:
        raise _ends_early(where, filled, f"{_times(found)} values")
    if source.more():
        raise HangtagError("data_count", f"{where} goes on after its {_times(found)} values: it is not what it says")
    return values.reshape(found)


def is_page(content: bytes) -> bool:
    """Whether this is the beginning of HTML: what a captive portal sends in place of any file."""
    return re.match(rb"\s*<[!a-zA-Z]", content) is not None


def encode(values: NDArray[np.uint8]) -> bytes:
    """The plain IDX file of an array of unsigned bytes; `decode`'s inverse."""
    header = struct.pack(f">HBB{values.ndim}I", 0, _UNSIGNED_BYTE, values.ndim, *values.shape)
    return header + np.ascontiguousarray(values).tobytes()


def _times(shape: tuple[int | None, ...]) -> str:
    return " x ".join(f"{n:,}" for n in shape if n is not None)


def _ends_early(where: str, found: int, wanted: str) -> HangtagError:
    return HangtagError("data_truncated", f"{where} is cut off: {found:,} bytes where it should hold {wanted}")


class _Plain:
    def __init__(self, content: bytes) -> None:
        self._rest = memoryview(content)

    def take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)

    def fill(self, into: memoryview) -> int:
        taken, self._rest = self._rest[: len(into)], self._rest[len(into) :]
        into[: len(taken)] = taken
        return len(taken)

    def more(self) -> bool:
        return len(self._rest) > 0


class _Gzip:
    def __init__(self, content: bytes, where: str) -> None:
        self._content, self._at, self._where = memoryview(content), 0, where
        self._unpacker = zlib.decompressobj(wbits=31)  # 31: gzip, whose CRC and length zlib then checks at the end
        self._held = b""

    def take(self, size: int) -> bytes:
        taken = bytearray(size)
        return bytes(taken[: self.fill(memoryview(taken))])

    def fill(self, into: memoryview) -> int:
        filled = 0
        while filled < len(into):
            step = self._next(len(into) - filled)
            if not step:
                break
            into[filled : filled + len(step)] = step
            filled += len(step)
        return filled

    def more(self) -> bool:
        """Whether anything follows, unpacked or not. Reaching the end here is what checks gzip's own CRC."""
        if self._next(1):
            return True
        if not self._unpacker.eof:
            raise HangtagError("data_truncated", f"{self._where} is cut off: its gzip stream has no end")
        return bool(self._unpacker.unused_data) or self._at < len(self._content)

    def _next(self, most: int) -> bytes:
        """Between 1 and `most` unpacked bytes, or none at the end."""
        while not self._unpacker.eof:
            packed = self._held or self._content[self._at : self._at + _STEP]
            if not self._held:
                self._at += len(packed)
            try:
                step = self._unpacker.decompress(packed, most)
            except zlib.error as error:
                raise HangtagError("data_format", f"{self._where} is damaged: {error}") from error
            self._held = self._unpacker.unconsumed_tail
            if step or not packed:
                return step
        return b""
