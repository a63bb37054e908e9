"""Bytes of a JPEG, PNG, WebP, AVIF or HEIC to plain 8-bit pixels, or a reason why not.

Nothing reaches a decoder before the content's first bytes say that it is one of these formats and its structure runs to
its end; nothing is decoded before the header's size is accepted. Colour profiles are not applied: the pixels are taken
as sRGB.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.preprocess import heic, jpeg, png
from hangtag.preprocess.formats import sniff

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 40_000_000
MAX_SIDE = 30_000  # no camera's panorama is longer; 65535 x 1 is an attack
MAX_BYTES = 64_000_000

_TRANSPOSE = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
}
_TRANSPOSE[8] = "ROTATE_90"
_ORIENTATION = 0x0112  # the EXIF tag


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB uint8; grey whenever the three channels are equal everywhere.
        transparent: whether some of it was see-through; that has been laid on white.
        frames_ignored: frames of an animation after the first.
    """

    pixels: NDArray[np.uint8]
    transparent: bool = False
    frames_ignored: int = 0


def decode(content: bytes, enough: int | None = None) -> Picture:
    """The first frame of a JPEG, PNG, WebP, AVIF or HEIC, upright.

    Args:
        content: the whole file.
        enough: a longest side that is enough: a longer picture is averaged down by a whole factor, but never below
            this.

    Raises:
        HangtagError: `image_empty`, `image_unsupported`, `image_truncated`, `image_damaged`, `image_too_large`,
            `image_too_many_pixels`; `image_decoder_failed` if memory ran out.
    """
    kind = sniff(content)
    if len(content) > MAX_BYTES:
        raise HangtagError(
            "image_too_large", f"the file has {len(content):,} bytes; {MAX_BYTES:,} is the most accepted"
        )
    if kind == "HEIC":
        heic.check_installed()
    content = _WHOLE[kind](content)
    try:
        with _without_remarks, _opened(content, kind) as image:
            check_size(*image.size)
            if kind == "PNG":
                png.check_pixels(content)
            if enough is not None:  # JPEGs are decoded at 1/2, 1/4 or 1/8 for a fraction of the time
                image.draft(None, (enough, enough))
            return flatten(image, enough)
    except HangtagError:
        raise
    except MemoryError as error:
        raise HangtagError("image_decoder_failed", "memory ran out while decoding the picture") from error
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error ... on damaged content
        if type(error).__name__ == "DecompressionBombError":
            raise HangtagError("image_too_many_pixels", f"the picture is too large: {error}") from error
        if kind == "JPEG" and jpeg.ends_before_pixels(content):
            raise jpeg.truncated() from error
        reason = " ".join(str(error).split())[:120]
        reason = "its header makes no sense" if "cannot identify" in reason else reason
        raise HangtagError("image_damaged", f"the {kind} is damaged: {reason or type(error).__name__}") from error


def _opened(content: bytes, kind: str) -> Image.Image:
    if kind == "HEIC":
        return heic.opened(content)
    from PIL import Image

    if kind == "AVIF":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # there are several children, and each thread reserves memory
    return Image.open(io.BytesIO(content), formats=(kind,))


class _WithoutRemarks:
    """No warnings while any thread is inside: Pillow remarks on odd metadata and size; size is judged here.

    `warnings.catch_warnings` alone is not for threads: two that overlap could leave the filter of one behind.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.caught = warnings.catch_warnings()
                self.caught.__enter__()
                warnings.simplefilter("ignore")
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.caught.__exit__(None, None, None)


_without_remarks = _WithoutRemarks()


def check_size(width: int, height: int) -> None:
    """Refuse a picture by the size its header claims, before anything is decoded.

    Raises:
        HangtagError: `image_damaged` or `image_too_many_pixels`.
    """
    if width < 1 or height < 1:
        raise HangtagError("image_damaged", f"the picture claims to be {width} x {height} pixels")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        limit = f"{MAX_PIXELS // 1_000_000} million pixels and {MAX_SIDE:,} along a side are the most accepted"
        raise HangtagError("image_too_many_pixels", f"the picture is {width:,} x {height:,} pixels: {limit}")


def flatten(image: Image.Image, enough: int | None = None) -> Picture:
    """A Pillow image of any mode as plain pixels, upright, transparency laid on white.

    8 bits are taken as they are; of 16 the upper 8, or of the 10, 12 or 14 that are in use where the others are 0
    throughout. Modes I and F, which carry no range, are taken as 0..255, as Pillow itself writes them, unless a value
    above 255 shows that they hold 16 bits; F within [0, 1] is stretched to 0..255.

    Raises:
        HangtagError: `image_truncated` for a JPEG that lacks pixels; `image_damaged` for values that are not finite;
            whatever Pillow raises, if it decodes only now.
    """
    frames_ignored = max(0, getattr(image, "n_frames", 1) - 1)
    coded = _coded_as(image)
    if coded and image.fp is None:  # type: ignore[attr-defined]
        raise HangtagError("image_unreadable", "the image's file was closed before it was read: call load() before")
    content = _content(image) if coded == "jpeg" or coded in png.SIXTEEN_BITS else b""
    if coded == "jpeg":
        jpeg.load(image, content)  # type: ignore[arg-type]
    image.load()
    orientation = _orientation(image)
    image = _halve(_with_alpha(image, coded, content), enough)
    transparent = image.mode in ("LA", "RGBA") and bool(np.asarray(image.getchannel("A")).min() < 255)
    if orientation in _TRANSPOSE:
        from PIL import Image as pillow  # noqa: N813

        image = image.transpose(pillow.Transpose[_TRANSPOSE[orientation]])
    pixels = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        pixels = _on_white(pixels)
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        pixels = pixels[..., 0]
    return Picture(np.ascontiguousarray(pixels), transparent, frames_ignored)


def _coded_as(image: Image.Image) -> str:
    """How the pixels of a JPEG or PNG lie in its file, if they have not been decoded yet: "jpeg", "L;4", "RGB;16B"."""
    tiles = getattr(image, "tile", None) or []
    if len(tiles) != 1 or image.format not in ("JPEG", "MPO", "PNG"):
        return ""
    args = tiles[0].args
    return "jpeg" if tiles[0].codec_name == "jpeg" else str(args if isinstance(args, str) else args[0])


def _content(image: Image.Image) -> bytes:
    """The file an image was opened from and has not been read from to its end."""
    file = image.fp  # type: ignore[attr-defined]
    position = file.tell()
    file.seek(0)
    content: bytes = file.read()
    file.seek(position)
    return content


def _with_alpha(image: Image.Image, coded: str, content: bytes) -> Image.Image:
    """As L or RGB, or as LA or RGBA where something might be see-through."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bits(image)
    if coded in png.SIXTEEN_BITS:
        return _with_lower_bytes(image, content)
    key = image.info.get("transparency")
    if image.mode in ("1", "L") and isinstance(key, int):
        image = image.convert("L")
        return _cleared(image, np.asarray(image) == png.scaled_key(key, coded))
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def _cleared(image: Image.Image, hole: NDArray[np.bool_]) -> Image.Image:
    """The image, see-through where `hole` is true."""
    from PIL import Image as pillow  # noqa: N813

    image = image.copy()
    image.info.pop("transparency", None)
    image.putalpha(pillow.fromarray(np.where(hole, 0, 255).astype(np.uint8)))
    return image


def _with_lower_bytes(image: Image.Image, content: bytes) -> Image.Image:
    """A PNG of 16 bits in colour or with alpha, of which Pillow gives the upper 8: the others where they decide."""
    from PIL import Image as pillow  # noqa: N813

    upper = np.asarray(image)
    colours = min(3, upper.shape[2])
    key = image.info.get("transparency")
    if key is None and upper[..., :colours].max() >= 1 << 6:  # 15 bits or 16 are in use
        return image
    with pillow.open(io.BytesIO(png.lower_bytes(content)), formats=("PNG",)) as other:
        lower = np.asarray(other.convert(image.mode))
    hole = None
    if key is not None:
        wanted = np.array(key)
        hole = ((upper == wanted >> 8) & (lower == wanted & 255)).all(axis=2)
    values = (upper[..., :colours].astype(np.uint16) << 8) | lower[..., :colours]
    pixels = _upper_bits(values, hole)
    made = pillow.fromarray(np.concatenate([pixels, upper[..., colours:]], axis=2))
    return made if hole is None else _cleared(made, hole)


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    laid = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return laid[..., 0] if laid.shape[2] == 1 else laid


def _halve(image: Image.Image, enough: int | None) -> Image.Image:
    factor = max(image.size) // enough if enough else 1
    return image.reduce(factor) if factor > 1 else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """A grey image of more than 8 bits as L, or as LA where something is see-through."""
    from PIL import Image as pillow  # noqa: N813

    values: NDArray[Any] = np.asarray(image)
    clear = image.info.get("transparency")
    hole = values == clear if isinstance(clear, int) else None
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise HangtagError("image_damaged", "the picture holds values that are not numbers")
        values = np.round(values * 255) if values.max() <= 1 else values / 256 if values.max() > 255 else values
    elif image.mode != "I" or values.max() > 255:
        values = _upper_bits(values, hole)
    made = pillow.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    return made if hole is None else _cleared(made, hole)


def _upper_bits(values: NDArray[Any], hole: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """The upper 8 of the bits in use: sensors of 10, 12 or 14 leave the others of 16 empty.

    All of 16 are in use if the most significant or its neighbour ever is; an image that is so dark looks the same.
    """
    seen = values if hole is None else values[~hole]
    bits = int(seen.max()).bit_length() if seen.size else 16
    shift = max(8, min(16, bits + bits % 2)) - 8
    upper: NDArray[np.uint8] = np.clip(values >> shift, 0, 255).astype(np.uint8)
    return upper


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
        return value if isinstance(value, int) else 1
    except Exception:  # damaged metadata beside a good picture: viewers show it as it lies, and so do we
        return 1


def _whole_webp(content: bytes) -> bytes:
    if int.from_bytes(content[4:8], "little") + 8 > len(content):
        raise HangtagError("image_truncated", "the WebP ends too early: copy or download it again")
    return content


def _whole_boxes(content: bytes, kind: str) -> bytes:
    """An AVIF or HEIC: a row of boxes, each with its length, of which one holds the coded pixels."""
    position, names = 0, set()
    while len(content) - position >= 8:
        size, name = int.from_bytes(content[position : position + 4], "big"), content[position + 4 : position + 8]
        if size == 1:  # the length follows, in 8 bytes
            size = int.from_bytes(content[position + 8 : position + 16], "big")
        elif size == 0:  # to the end of the file
            size = len(content) - position
        position += max(size, 8)
        names.add(name)
    if position != len(content) or not (b"mdat" in names or b"idat" in content):
        raise HangtagError("image_truncated", f"the {kind} ends before its last pixel: copy or download it again")
    return content


_WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": lambda content: content,  # looked at while it is decoded
    "PNG": png.checked,
    "WEBP": _whole_webp,
    "AVIF": lambda content: _whole_boxes(content, "AVIF"),
    "HEIC": lambda content: _whole_boxes(content, "HEIC"),
}
