"""A photo as a model's input, made the way Fashion-MNIST was made from Zalando's product photos.

Source: Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST", arXiv:1708.07747, section 2: trim edges close to the corner's
colour (5%), longest edge to 28 by subsampling, sharpen (radius 1, sigma 1), extend the short edge and centre, negate,
8-bit grey.
Departures: the background is the median of the four corners, not one of them; a photo on a dark background is not
negated, since negating is there to make the background dark; the background's remaining level is taken off, since only
a studio's white is 0 when negated (2,631 phone photos of clothing-dataset-small: a small MLP put 94% into "Bag"
without this, 14% with it, and got 31% right in place of 3%); a large photo is first averaged down to the size of
Zalando's thumbnails; an image of the model's own size whose item fills it is neither trimmed nor sharpened again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.files import NotRegularError, read_regular
from hangtag.preprocess.decode import MAX_BYTES, Picture

if TYPE_CHECKING:
    from PIL import Image

FUZZ = 0.05 * 255  # a pixel this close to the background, in every channel, is background
THUMBNAIL = 73 / 28  # Zalando's thumbnails were 73 pixels tall: 2.6 rows for each row kept
ENOUGH = 16  # a photo's longest side, in units of the model's: more detail than this is never looked at
# A light ground: the corners' level, and how much of the edge lies within LEVEL of it. Of Fashion-MNIST's 70,000 images
# none has corners above 51; of 60,000 of random noise none has more than 0.37 of its edge so even; of the 70,000 of
# Fashion-MNIST, negated, 9 have less than EVEN.
LIGHT, LEVEL, EVEN = 64, 25, 0.4
OWN_SIZE, SMALL = 28, 64  # pixels along a side: Fashion-MNIST's, and the most an image of its kind may have
# An item this long fills an image of the model's size. 2,000 negated validation images made smaller: at 18 of 28 pixels
# 83.2% right as they are and 79.6% when enlarged, at 16 of 28 67.9% and 71.5%.
FILLS = 0.6
_ADDRESS = re.compile(
    r"(https?|s?ftps?|s3a?|gs|az|abfss?|hdfs|blob|file)(?=:(?:/|$))|[a-z][a-z0-9+.-]+(?=://)|data(?=:)", re.IGNORECASE
)
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's "L"
# ImageMagick's -sharpen 1x1: minus a Gaussian around, twice its whole sum in the middle, scaled to a sum of 1.
_GAUSSIAN = np.exp(-np.add.outer(np.arange(-1, 2) ** 2, np.arange(-1, 2) ** 2) / 2)
SHARPEN = -_GAUSSIAN
SHARPEN[1, 1] = 2 * _GAUSSIAN.sum()
SHARPEN /= SHARPEN.sum()  # 1.66 in the middle, -0.10 beside it, -0.06 at the corners


def convert(picture: Picture, size: int, colour: bool, light: bool = False) -> NDArray[np.uint8]:
    """The picture as a model's input. A pure function.

    What a grey model was trained on (grey, exactly `size` x `size`, nothing see-through, on a dark ground) passes
    unchanged, and so does a picture of exactly that size for a colour model. For a colour model a photo is fitted into
    the square and padded with its background colour: no trimming, no sharpening, no negation.

    Args:
        picture: any size.
        size: the model's pixels along a side.
        colour: whether the model takes RGB.
        light: whether the model was trained on dark items on a light ground: such pass unchanged too.

    Returns:
        (size, size) uint8, light on dark, or (size, size, 3) if `colour`.
    """
    pixels = picture.pixels
    own_size = pixels.shape[:2] == (size, size)
    background = _background(pixels)
    if colour:
        small = pixels if own_size else _centred(_averaged(pixels, _fitted(pixels, size)), background, size)
        return small if small.ndim == 3 else np.repeat(small[..., None], 3, axis=2)
    if own_size and pixels.ndim == 2 and not picture.transparent and (light or not _on_light(pixels, background)):
        return pixels
    item = _trimmed(pixels, background)
    if own_size and max(item.shape[:2]) >= FILLS * size:
        grey = _grey(pixels)
    else:
        grey = _grey(_centred(_sharpened(_subsampled(item, size)), background, size))
    level = int(_grey(background))
    if _is_darker(grey, level):
        grey, level = 255 - grey, 255 - level
    return np.maximum(grey, level) - level


def convert_by_kind(picture: Picture, size: int, colour: bool, light: bool, photos: int) -> NDArray[np.uint8]:
    """`convert`; but with `photos`, all but images of Fashion-MNIST's kind become colour images of that size.

    Args:
        picture, size, colour, light: as for `convert`.
        photos: pixels along a side, or 0.

    Returns:
        What `convert` gives, or (photos, photos, 3) uint8.
    """
    if photos and not is_like_fashion_mnist(picture):
        return convert(picture, photos, colour=True)
    return convert(picture, size, colour, light)


def is_like_fashion_mnist(picture: Picture) -> bool:
    """Whether an image is one of Fashion-MNIST's kind: grey, and 28 x 28 pixels, or up to 64 on an even background."""
    pixels = picture.pixels
    if pixels.ndim == 3 or max(pixels.shape) > SMALL:
        return False
    return pixels.shape == (OWN_SIZE, OWN_SIZE) or _has_even_edge(pixels, _background(pixels))


def check_content(picture: Picture) -> None:
    """Refuse a picture of nothing: every pixel is as the background, as trimming tells them apart.

    Raises:
        HangtagError: `image_blank`.
    """
    if not _differs(picture.pixels, _background(picture.pixels)).any():
        raise HangtagError("image_blank", "the image is one even colour: there is nothing to recognise")


def read_file(path: str | os.PathLike[str]) -> bytes:
    """A picture file's content. Pipes, devices and giants are refused unread.

    Raises:
        HangtagError: `image_not_found`, `image_unreadable`, `image_address` or `image_too_large`.
    """
    try:
        if not os.fspath(path).strip():
            raise HangtagError("image_not_found", "the path is empty")
        content = read_regular(Path(path), MAX_BYTES + 1)
    except NotRegularError as error:
        cure = ": `hangtag recognise -` reads standard input" if "pipe" in str(error) else ""
        raise HangtagError("image_unreadable", f"{error}{cure}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if scheme := address_of(path):
            raise _not_fetched(path, scheme) from error
        if isinstance(error, FileNotFoundError | NotADirectoryError) or "null" in str(error):
            raise HangtagError("image_not_found", "no such file") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise HangtagError("image_unreadable", f"cannot be read: {reason}") from error
    if len(content) > MAX_BYTES:
        raise HangtagError("image_too_large", f"longer than {MAX_BYTES:,} bytes, the most accepted")
    return content


def address_of(path: str | os.PathLike[str]) -> str:
    """The scheme of what is an address and no path, such as "https"; empty if it is none."""
    match = _ADDRESS.match(os.fspath(path))
    return match[0].lower() if match else ""


def _not_fetched(path: str | os.PathLike[str], scheme: str) -> HangtagError:
    text = os.fspath(path)
    if scheme == "data":
        return HangtagError("image_address", "a data: address is no path: decode its base64 and give the bytes")
    if scheme == "file":
        return HangtagError("image_address", "a file: address is no path: give the path alone")
    whole = re.sub(r":/{1,2}", "://", text, count=1)  # pathlib makes one slash of two
    return HangtagError("image_address", f"{whole} is an address, and addresses are not fetched: download it first")


def _background(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The median of the four corners, () or (3,)."""
    background: NDArray[np.uint8] = np.median(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0).astype(np.uint8)
    return background


def _on_light(pixels: NDArray[np.uint8], background: NDArray[np.uint8]) -> bool:
    """Whether a grey image shows something on an even ground that is not dark."""
    if background < LIGHT or not _differs(pixels, background).any():
        return False
    return _has_even_edge(pixels, background)


def _has_even_edge(pixels: NDArray[np.uint8], background: NDArray[np.uint8]) -> bool:
    edge = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]]).astype(np.int16)
    return bool((np.abs(edge - background.astype(np.int16)) <= LEVEL).mean() >= EVEN)


def _is_darker(grey: NDArray[np.uint8], level: int) -> bool:
    """Whether the item is darker than its ground: on a ground between, the item's own pixels say so.

    200 test images laid dark on grey 70 to 127, or light on grey 128 to 185: 8 to 12% right by the ground alone.
    """
    if LIGHT <= level <= 255 - LIGHT:
        return bool((grey.astype(np.int64) - level).sum() < 0)
    return level >= 128


def _differs(pixels: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): where it is not background."""
    differs: NDArray[np.bool_] = np.abs(pixels.astype(np.int16) - background) > FUZZ
    return np.logical_or.reduce(differs, axis=2) if differs.ndim == 3 else differs


def _trimmed(pixels: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the rows and columns around it that are background; as it is if it is nothing but background."""
    differs = _differs(pixels, background)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else pixels


def _fitted(pixels: NDArray[np.uint8], longest: float) -> tuple[int, int]:
    """Height and width with the longest edge as given, at least one pixel each."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _subsampled(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Longest edge to `size`, by skipping rows and columns as the source does; a small picture is interpolated."""
    longest = max(pixels.shape[:2])
    if longest <= size:
        return _averaged(pixels, _fitted(pixels, size))
    if longest > THUMBNAIL * size:
        pixels = _averaged(pixels, _fitted(pixels, THUMBNAIL * size))
    height, width = _fitted(pixels, size)
    rows = ((np.arange(height) + 0.5) * pixels.shape[0] / height).astype(int)  # the row at the middle of each step
    columns = ((np.arange(width) + 0.5) * pixels.shape[1] / width).astype(int)
    kept: NDArray[np.uint8] = pixels[rows][:, columns]
    return kept


def _averaged(pixels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Resized to (height, width): each pixel the mean of those it covers, or interpolated where it grows."""
    from PIL import Image

    image: Image.Image = Image.fromarray(pixels)
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _sharpened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    around = np.pad(pixels.astype(np.float32), ((1, 1), (1, 1), (0, 0))[: pixels.ndim], mode="edge")
    height, width = pixels.shape[:2]
    total = np.zeros(pixels.shape, np.float32)
    for i in range(3):
        for j in range(3):
            total += SHARPEN[i, j] * around[i : i + height, j : j + width]
    return _bytes(total)


def _centred(pixels: NDArray[np.uint8], background: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    framed = np.empty((size, size, *pixels.shape[2:]), np.uint8)
    framed[:] = background
    top, left = (size - pixels.shape[0]) // 2, (size - pixels.shape[1]) // 2
    framed[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return framed


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.shape[-1:] != (3,) or pixels.ndim == 2:
        return pixels
    return _bytes(pixels @ GREY)


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    whole: NDArray[np.uint8] = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return whole
