"""The pictures of a report: many small ones on one sheet, so that thousands fit into a file and load at once.

A sheet is shown by CSS: it is the background of each small square, shifted. What is drawn on it is exactly what the
model saw, as long as that fits; larger pictures are reduced.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LARGEST = 64  # pixels along a side
_SIDES = (64, 56, 48, 40, 32, 28, 24, 20, 16, 14, 12, 10, 8)
_EXACT = 32  # pixels: grey pictures up to this size are kept exactly (PNG); others as WebP
_SAMPLE = 300  # pictures encoded to guess the size of all
_HEAT_LEVELS = 16


@dataclass(frozen=True)
class Encoded:
    """A sheet as a data URI, and how it is laid out."""

    uri: str
    columns: int
    rows: int
    side: int  # pixels of one picture on it


class Sheet:
    """Pictures, each once, numbered in the order they were added."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._images: list[NDArray[np.uint8]] = []

    def __len__(self) -> int:
        return len(self._images)

    def has(self, key: Hashable) -> bool:
        """Whether the picture called `key` is on it."""
        return key in self._numbers

    def add(self, key: Hashable, image: NDArray[np.uint8]) -> tuple[int, bool]:
        """The number of the picture called `key`, and whether it is new here."""
        if key in self._numbers:
            return self._numbers[key], False
        self._numbers[key] = len(self._images)
        self._images.append(image)
        return self._numbers[key], True

    def encode(self, most_bytes: int) -> Encoded:
        """All pictures as large and as true as fits into `most_bytes` of text."""
        if not self._images:
            return Encoded(data_uri(_png(Image.new("L", (1, 1))), "image/png"), 1, 1, 1)
        size = self._images[0].shape[0]
        sides = [size] if size <= _LARGEST else []
        sides += [side for side in _SIDES if side < size]
        spread = np.linspace(0, len(self._images) - 1, min(_SAMPLE, len(self._images))).astype(int)
        encoded = None
        for side in sides:
            for exact in (True, False) if self._images[0].ndim == 2 and side <= _EXACT else (False,):
                guess = len(_encode([self._images[i] for i in spread], side, exact)[0]) * len(self) / len(spread)
                if guess * 4 / 3 > 1.05 * most_bytes and side > 8:
                    continue
                content, columns, rows = _encode(self._images, side, exact)
                encoded = Encoded(data_uri(content, "image/png" if exact else "image/webp"), columns, rows, side)
                if len(encoded.uri) <= most_bytes:
                    return encoded
        assert encoded is not None
        return encoded


def heat_sheet(maps: NDArray[np.float32]) -> Encoded:
    """Saliency maps (N, H, W) in [0, 1] as see-through colour, to lie over the pictures: the hotter, the denser."""
    side = min(28, max(maps.shape[1:], default=1)) if len(maps) else 1
    tiles = [np.asarray(Image.fromarray((255 * one).astype(np.uint8)).resize((side, side))) for one in maps]
    canvas, columns, rows = _lay_out(tiles or [np.zeros((1, 1), np.uint8)])
    levels = (canvas.astype(np.float32) / 255) ** 1.5 * (_HEAT_LEVELS - 1)
    image = Image.fromarray(levels.round().astype(np.uint8))
    image.putpalette([channel for _ in range(_HEAT_LEVELS) for channel in (255, 96, 0)])
    alpha = bytes(round(225 * level / (_HEAT_LEVELS - 1)) for level in range(_HEAT_LEVELS))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, transparency=alpha, bits=4)
    return Encoded(data_uri(file.getvalue(), "image/png"), columns, rows, side)


def picture_uri(image: NDArray[np.uint8], longest: int = 224) -> str:
    """One picture by itself, reduced to `longest` pixels."""
    drawn = Image.fromarray(image)
    drawn.thumbnail((longest, longest))
    if max(image.shape[:2]) <= longest:
        return data_uri(_png(drawn), "image/png")
    file = io.BytesIO()
    drawn.convert("RGB").save(file, "JPEG", quality=82)
    return data_uri(file.getvalue(), "image/jpeg")


def data_uri(content: bytes, kind: str) -> str:
    """Bytes as text a page can hold."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _encode(images: list[NDArray[np.uint8]], side: int, exact: bool) -> tuple[bytes, int, int]:
    if images[0].shape[0] != side:
        images = [np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)) for image in images]
    canvas, columns, rows = _lay_out(images)
    image = Image.fromarray(canvas)
    if exact:
        return _png(image), columns, rows
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=72, method=3)
    return file.getvalue(), columns, rows


def _lay_out(images: list[Any]) -> tuple[NDArray[np.uint8], int, int]:
    """Row after row on one nearly square canvas."""
    columns = math.ceil(len(images) ** 0.5)
    rows = math.ceil(len(images) / columns)
    first = images[0]
    height, width = first.shape[:2]
    canvas = np.zeros((rows * height, columns * width, *first.shape[2:]), np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * height, i % columns * width
        canvas[top : top + height, left : left + width] = image
    return canvas, columns, rows


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
