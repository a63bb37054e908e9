"""Bytes of a JPEG, PNG or WebP to plain 8-bit pixels, or a reason why not.

Nothing reaches Pillow before the content's first bytes say it is one of the three formats and its structure runs to its
end; nothing is decoded before the header's size is accepted. Colour profiles are not applied: the pixels are taken as
sRGB.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 40_000_000
MAX_SIDE = 30_000  # no camera's panorama is longer; 65535 x 1 is an attack
MAX_BYTES = 64_000_000

# What people try besides the three formats, by first bytes: the message names it, so that they know what to convert.
_OTHERS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"8BPS": "a Photoshop file",
    b"%PDF": "a PDF",
    b"%!PS": "PostScript",
    b"PK\x03\x04": "a zip archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\0\0\x01\0": "an icon",
    b"SIMPLE": "a FITS file",
    b"\xd7\xcd\xc6\x9a": "a WMF drawing",
    b"<svg": "an SVG drawing",
    b"<": "a web page or XML",
}
_SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
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
    """The first frame of a JPEG, PNG or WebP, upright.

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
    if not _WHOLE[kind](content):
        raise HangtagError("image_truncated", f"the {kind} ends too early: copy or download it again")

    from PIL import Image

    try:
        with _without_remarks, Image.open(io.BytesIO(content), formats=FORMATS) as image:
            check_size(*image.size)
            if enough is not None:  # JPEGs are decoded at 1/2, 1/4 or 1/8 for a fraction of the time
                image.draft(None, (enough, enough))
            return flatten(image, enough)
    except HangtagError:
        raise
    except Image.DecompressionBombError as error:
        raise HangtagError("image_too_many_pixels", f"the picture is too large: {error}") from error
    except MemoryError as error:
        raise HangtagError("image_decoder_failed", "memory ran out while decoding the picture") from error
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error ... on damaged content
        reason = " ".join(str(error).split())[:120]
        reason = "its header makes no sense" if "cannot identify" in reason else reason
        raise HangtagError("image_damaged", f"the {kind} is damaged: {reason or type(error).__name__}") from error


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


def sniff(content: bytes) -> str:
    """`JPEG`, `PNG` or `WEBP`, by the first bytes alone.

    Raises:
        HangtagError: `image_empty`, `image_truncated` (too short to tell) or `image_unsupported`.
    """
    if not content:
        raise HangtagError("image_empty", "the file is empty")
    for kind, signature in _SIGNATURES.items():
        if content.startswith(signature) and (kind != "WEBP" or content[8:12] == b"WEBP"):
            return kind
        if signature.startswith(content) or (kind == "WEBP" and content[:4] == b"RIFF" and len(content) < 12):
            raise HangtagError(
                "image_truncated", f"the file ends after {len(content)} bytes: copy or download it again"
            )
    head = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if content[4:8] == b"ftyp":
        found = (
            "a HEIC or AVIF picture" if content[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"msf1") else "a video"
        )
    else:
        found = next((name for start, name in _OTHERS.items() if head.startswith(start)), "something else")
    raise HangtagError("image_unsupported", f"not a JPEG, PNG or WebP but {found}: save it as one of these")


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

    8 bits are taken as they are; of 16 the upper 8. Modes I and F, which carry no range, are taken as 0..255, as
    Pillow itself writes them, unless a value above 255 shows that they hold 16 bits; F within [0, 1] is stretched to
    0..255.

    Raises:
        HangtagError: `image_damaged` for values that are not finite; whatever Pillow raises, if it decodes only now.
    """
    frames_ignored = max(0, getattr(image, "n_frames", 1) - 1)
    image.load()
    orientation = _orientation(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image, transparent = _eight_bits(image)
    else:
        transparent = image.has_transparency_data
        if transparent:
            image = _halve(image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"), enough)
            transparent = bool(np.asarray(image.getchannel("A")).min() < 255)
        elif image.mode in ("1", "L"):
            image = image.convert("L")
        elif image.mode != "RGB":
            image = image.convert("RGB")
        image = _halve(image, enough)
    if orientation in _TRANSPOSE:
        from PIL import Image as pillow  # noqa: N813

        image = image.transpose(pillow.Transpose[_TRANSPOSE[orientation]])
    pixels = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        pixels = _on_white(pixels)
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        pixels = pixels[..., 0]
    return Picture(np.ascontiguousarray(pixels), transparent, frames_ignored)


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    laid = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return laid[..., 0] if laid.shape[2] == 1 else laid


def _halve(image: Image.Image, enough: int | None) -> Image.Image:
    factor = max(image.size) // enough if enough else 1
    return image.reduce(factor) if factor > 1 else image


def _eight_bits(image: Image.Image) -> tuple[Image.Image, bool]:
    """On white, and whether some of it was see-through."""
    from PIL import Image as pillow  # noqa: N813

    values: NDArray[Any] = np.asarray(image)
    clear = image.info.get("transparency")
    hole = values == clear if isinstance(clear, int) else None
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise HangtagError("image_damaged", "the picture holds values that are not numbers")
        values = np.round(values * 255) if values.max() <= 1 else values / 256 if values.max() > 255 else values
    elif image.mode != "I" or values.max() > 255:
        values = values >> 8
    grey = np.clip(values, 0, 255).astype(np.uint8)
    if hole is not None:
        grey[hole] = 255
    return pillow.fromarray(grey), hole is not None and bool(hole.any())


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
        return value if isinstance(value, int) else 1
    except Exception:  # damaged metadata beside a good picture: viewers show it as it lies, and so do we
        return 1


# FF 00 and restarts belong to the pixels. Markers may begin with any number of FF; only the last is asked for: `\xff+`
# would try every start of a run, and 64 kB of FF would take minutes.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")


def _whole_jpeg(content: bytes) -> bool:
    """Whether the segments run to an end-of-image marker; one inside metadata (a preview's) is not it."""
    position = 2
    while match := _MARKER.search(content, position):
        if match[1] == b"\xd9":
            return True
        position = match.end()
        if match[1] not in b"\x01\xd8":  # the others give their length
            position += int.from_bytes(content[position : position + 2], "big")
    return False


def _whole_png(content: bytes) -> bool:
    position = 8
    while position + 12 <= len(content):
        length, name = int.from_bytes(content[position : position + 4], "big"), content[position + 4 : position + 8]
        position += 12 + length
        if name == b"IEND":
            return position <= len(content)
    return False


def _whole_webp(content: bytes) -> bool:
    return int.from_bytes(content[4:8], "little") + 8 <= len(content)


_WHOLE = {"JPEG": _whole_jpeg, "PNG": _whole_png, "WEBP": _whole_webp}
