"""Which arrays are an image and which are several; what could be either is refused, with what to write instead.

An image is (H, W) grey, (H, W, 1) grey, (H, W, 2) grey with alpha, (H, W, 3) RGB or (H, W, 4) RGB with alpha; several
are one axis more, in front.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError

CHANNELS = (1, 2, 3, 4)  # of the last axis


def is_several(array: NDArray[Any], size: int, colour: bool) -> bool:
    """Whether an array is several images: (N, H, W), (N, 1, H, W) or (N, H, W, 1 to 4). Else it is one.

    Args:
        array: of numbers.
        size: the model's pixels along a side.
        colour: whether the model takes RGB.

    Raises:
        HangtagError: `image_shape` for rows of pixels, and for channels before height and width.
    """
    refuse_rows(array.shape, size, colour)
    if array.ndim == 3 and array.shape[2] not in CHANNELS:
        channels, height, width = array.shape
        if channels == 3 or (channels == 4 and (height, width) != (size, size)):
            raise _channels_first(array.shape, "transpose(1, 2, 0)", ", and for several grey images list(array)")
        _refuse_channels_last(array.shape, size)
        return True
    if array.ndim == 4 and array.shape[3] not in CHANNELS and array.shape[1] in (2, 3, 4):
        raise _channels_first(array.shape, "transpose(0, 2, 3, 1)", "")
    return array.ndim == 4


def as_image(array: NDArray[Any], size: int, colour: bool) -> NDArray[np.uint8]:
    """One image as (H, W), or (H, W, 2 to 4), uint8.

    Raises:
        HangtagError: `image_shape`.
    """
    refuse_rows(array.shape, size, colour)
    if array.ndim == 3 and array.shape[2] not in CHANNELS:
        if array.shape[0] in (2, 3, 4):
            raise _channels_first(array.shape, "transpose(1, 2, 0)", "")
        if array.shape[0] == 1:  # as PyTorch has grey images
            array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:  # as Keras has them
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in CHANNELS) or 0 in array.shape:
        wanted = "(H, W), (H, W, 3), or with alpha (H, W, 2) or (H, W, 4)"
        raise HangtagError("image_shape", f"an image is an array {wanted}, not {array.shape}")
    return _as_bytes(array)


def refuse_rows(shape: tuple[int, ...], size: int, colour: bool) -> None:
    """Refuse flattened images, and those of a table with a column of labels before them.

    Raises:
        HangtagError: `image_shape`.
    """
    pixels = size * size * (3 if colour else 1)
    image = f"{size}, {size}, 3" if colour else f"{size}, {size}"
    row = [side for side in shape[1:] if side != 1] if len(shape) > 1 else list(shape)
    if len(shape) == 2 and shape[0] == pixels and shape[1] < size:
        cure = f"array.T.reshape(-1, {image})"
        raise HangtagError("image_shape", f"{shape} could be columns of {pixels:,} pixels: write {cure}")
    if size == 1 or len(row) != 1:
        return
    if row[0] == pixels and len(shape) == 1:
        raise HangtagError("image_shape", f"{shape} could be a row of {pixels:,} pixels: write array.reshape({image})")
    if row[0] == pixels:
        cure = f"array.reshape(-1, {image})"
        raise HangtagError("image_shape", f"{shape} could be rows of {pixels:,} pixels: write {cure}")
    if row[0] == pixels + 1 and len(shape) == 2:
        cure = f"array[:, 1:].reshape(-1, {image})"
        raise HangtagError("image_shape", f"{shape} could be rows of a label and {pixels:,} pixels: write {cure}")


def _refuse_channels_last(shape: tuple[int, ...], size: int) -> None:
    """Refuse images stacked along the last axis, as MATLAB has them, and pixels of more channels than are known.

    Nobody's images are less than 8 pixels wide and higher than that.
    """
    first, height, width = shape
    if (height, width) != (size, size) and (first == height != width or width < 8 <= height):
        cure = "array.transpose(2, 0, 1), and for several images list(array)"
        raise HangtagError("image_shape", f"{shape} could be {width:,} images along the last axis: write {cure}")


def _channels_first(shape: tuple[int, ...], cure: str, otherwise: str) -> HangtagError:
    return HangtagError("image_shape", f"{shape} has its channels first: write array.{cure}{otherwise}")


def _as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return np.where(array, 255, 0).astype(np.uint8)
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        cure = "give integers from 0 to 255, e.g. (array * 255).astype('uint8')"
        raise HangtagError("image_shape", f"an image of {array.dtype} has no fixed range: {cure}")
    return array.astype(np.uint8)
