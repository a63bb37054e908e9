"""Whether a JPEG holds all of its pixels. libjpeg paints grey where they end, and says nothing.

An end marker proves nothing: it may be missing behind the last pixel, and programs put one where a file was cut off.
So the decoder is given everything before that marker and then, little by little, more coded data that means nothing.
Behind the last pixel it passes over that at once, as over any bytes that are no marker; within the pixels it takes it
for some of them, and keeps back what does not make up a whole block yet. This costs no second decoding.

Source: ITU-T T.81; jdmarker.c, jdhuff.c and jdphuff.c of libjpeg-turbo: a source that has no more bytes suspends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hangtag.core.errors import HangtagError

if TYPE_CHECKING:
    from PIL.ImageFile import _Tile
    from PIL.JpegImagePlugin import JpegImageFile

# FF 00 and restarts belong to the pixels. Markers may begin with any number of FF; only the last is asked for: `\xff+`
# would try every start of a run, and 64 kB of FF would take minutes.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_RESTARTS = tuple(bytes((0xFF, marker)) for marker in range(0xD0, 0xD8))
_END = b"\xff\xd9"
_ONES = b"\xff\x00"  # a coded FF: no code is all ones, so that no block is short
_AHEAD = 8  # the decoder's buffer of bits is filled, if by bytes behind the last pixel, before it goes on
_STEPS = 24  # more bytes than any block of ones takes: 4 of colour and 2 codes of 17 bits each are 17
_SMALL = 4_000  # bytes: decoded twice, since what is missing may be less than a block
_FRAMES = {0xC0: "sequential", 0xC1: "sequential", 0xC2: "progressive", 0xC9: "arithmetic", 0xCA: "arithmetic"}


@dataclass
class _Scan:
    """One pass over the pixels: of which components, which coefficients, down to which bit, with how many restarts."""

    components: tuple[int, ...]
    first: int
    last: int
    low_bit: int
    restarts_wanted: int
    restarts: int = 0


@dataclass
class Layout:
    """What a JPEG says of itself.

    Args:
        end: where the pixels' data end.
        marked: whether an end marker is there.
        kind: "sequential", "progressive" or "arithmetic"; "" where no header is found.
        size: width and height.
        sampling: of each component (horizontal, vertical).
        scans: in the file's order.
    """

    end: int
    marked: bool
    kind: str = ""
    size: tuple[int, int] = (0, 0)
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    scans: list[_Scan] = field(default_factory=list)

    @property
    def lacks_scans(self) -> bool:
        """Whether a pass is missing that the pixels need, or the last one has not all of its restarts."""
        if not self.scans or self.scans[-1].restarts < self.scans[-1].restarts_wanted:
            return True
        exact: dict[int, set[int]] = {component: set() for component in self.sampling}
        for scan in self.scans:
            for component in scan.components:
                if scan.low_bit == 0:
                    exact.setdefault(component, set()).update(range(scan.first, scan.last + 1))
        return any(len(coefficients) < 64 for coefficients in exact.values())


def read(content: bytes) -> Layout:
    """Walk over the markers; one inside metadata (a preview's) is none of them."""
    layout, position, interval, scan_from = Layout(len(content), False), 2, 0, 0
    while match := _MARKER.search(content, position):
        if scan_from:
            _count_restarts(layout.scans[-1], content, scan_from, match.start())
            scan_from = 0
        marker, position = match[1][0], match.end()
        if marker == 0xD9:
            layout.end, layout.marked = match.start(), True
            return layout
        if marker in (0x01, 0xD8):
            continue
        length = int.from_bytes(content[position : position + 2], "big")  # the others give their length
        body, position = content[position + 2 : position + length], position + length
        if marker == 0xDD:
            interval = int.from_bytes(body[:2], "big")
        elif marker in _FRAMES and len(body) >= 6 and not layout.kind:
            layout.kind = _FRAMES[marker]
            layout.size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
            layout.sampling = {body[i]: (body[i + 1] >> 4, body[i + 1] & 15) for i in range(6, len(body) - 2, 3)}
        elif marker == 0xDA and len(body) == length - 2 >= 4:
            layout.scans.append(_scan(layout, body, interval))
            scan_from = position
    if scan_from:
        _count_restarts(layout.scans[-1], content, scan_from, len(content))
    while layout.end > position and content[layout.end - 1] == 0xFF:  # half a marker
        layout.end -= 1
    return layout


def _count_restarts(scan: _Scan, content: bytes, start: int, end: int) -> None:
    if scan.restarts_wanted > 0:
        scan.restarts = sum(content.count(marker, start, end) for marker in _RESTARTS)


def _scan(layout: Layout, body: bytes, interval: int) -> _Scan:
    components = tuple(body[1 : 1 + 2 * body[0] : 2])
    first, last, low_bit = (*body[-3:-1], body[-1] & 15) if layout.kind == "progressive" else (0, 63, 0)
    return _Scan(components, first, last, low_bit, _up(_blocks(layout, components), interval) - 1 if interval else 0)


def _blocks(layout: Layout, components: tuple[int, ...]) -> int:
    """How many units a scan has, as restarts count them: T.81, A.2."""
    across = max((h for h, _ in layout.sampling.values()), default=1) or 1
    down = max((v for _, v in layout.sampling.values()), default=1) or 1
    width, height = layout.size
    if len(components) == 1:
        h, v = layout.sampling.get(components[0], (across, down))
        return _up(_up(width * h, across), 8) * _up(_up(height * v, down), 8)
    return _up(width, 8 * across) * _up(height, 8 * down)


def _up(whole: int, part: int) -> int:
    return -(-whole // part)


def ends_before_pixels(content: bytes) -> bool:
    """Whether it was cut off so early that there are none."""
    return not read(content).scans


def load(image: JpegImageFile, content: bytes) -> None:
    """Decode `image`, opened from `content`, in place.

    Raises:
        HangtagError: `image_truncated` if some of its pixels are missing.
        OSError: as Pillow, for coded data that make no sense.
    """
    layout = read(content)
    if layout.kind == "arithmetic":  # libjpeg cannot suspend it
        image.load()
        return
    if layout.lacks_scans:
        raise truncated()
    coded = content[: layout.end]
    (tile,), image.tile = image.tile, []
    if not _fill(image, tile, coded):
        raise truncated()
    if not layout.marked or len(content) < _SMALL:
        pixels = image.tobytes()
        decoder = _decoder(image, tile)
        try:
            _given(decoder, coded + _END)  # zeros are what the decoder takes where a marker stands
        finally:
            decoder.cleanup()
        if image.tobytes() != pixels:
            raise truncated()


def _decoder(image: JpegImageFile, tile: _Tile) -> Any:
    from PIL import Image

    image.load_prepare()
    decoder = Image._getdecoder(image.mode, tile.codec_name, tile.args, image.decoderconfig)
    decoder.setimage(image.im, tile.extents)
    return decoder


def _fill(image: JpegImageFile, tile: _Tile, coded: bytes) -> bool:
    """Decode into `image`; False if what stands behind its data was taken for pixels."""
    decoder = _decoder(image, tile)
    try:
        rest, done = _given(decoder, coded + _AHEAD * _ONES)
        for _ in range(_STEPS):
            if done:
                break
            rest, done = _given(decoder, rest + _ONES)
            if rest:
                return False
        return done or _given(decoder, _END)[1]
    finally:
        decoder.cleanup()


def _given(decoder: Any, content: bytes) -> tuple[bytes, bool]:
    """What the decoder keeps back, and whether it has come to its end."""
    used, error = decoder.decode(content)
    if used < 0 and error < 0:
        raise OSError("its coded data make no sense")
    return (b"", True) if used < 0 else (content[used:], False)


def truncated() -> HangtagError:
    """What is said of it."""
    return HangtagError("image_truncated", "the JPEG ends before its last pixel: copy or download it again")
