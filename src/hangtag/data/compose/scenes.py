"""Backgrounds, and garments laid on them as shops and sellers do."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hangtag.data.compose import Canvas, Garment
from hangtag.data.compose.cloth import cloth_colour


def background(rng: Generator, side: int, photo: Callable[[], NDArray[np.uint8]]) -> Canvas:
    """An empty scene: most often white or light, else a gradient, a colour, or a corner of somebody's room.

    Args:
        rng: decides which.
        side: pixels along a side.
        photo: gives an RGB photo (H, W, 3), asked only where a room is wanted.
    """
    kind = rng.random()
    canvas: Canvas = np.empty((side, side, 3), np.float32)
    if kind < 0.42:
        canvas[:] = rng.uniform(0.96, 1)
    elif kind < 0.62:
        canvas[:] = rng.uniform(0.75, 0.97) + rng.normal(0, 0.012, 3)
    elif kind < 0.75:
        down = np.linspace(0, 1, side)[:, None, None]
        above, below = (rng.uniform(low, 1) + rng.normal(0, 0.02, 3) for low in (0.6, 0.5))
        canvas[:] = above * (1 - down) + below * down
    elif kind < 0.86:
        canvas[:] = cloth_colour(rng)
    else:
        canvas[:] = _corner(rng, side, photo())
    if rng.random() < 0.5:
        canvas += unevenness(rng, 4, (side, side), 0.02)[..., None]
    return np.clip(canvas, 0, 1)


def _corner(rng: Generator, side: int, photo: NDArray[np.uint8]) -> Canvas:
    """A blurred corner of a photo, where the garment seldom is."""
    height, width = photo.shape[:2]
    part = int(min(height, width) * rng.uniform(0.25, 0.4))
    top = 0 if rng.random() < 0.5 else height - part
    left = 0 if rng.random() < 0.5 else width - part
    patch = cv2.resize(photo[top : top + part, left : left + part].astype(np.float32) / 255, (side, side))
    made: Canvas = cv2.GaussianBlur(patch, (0, 0), rng.uniform(1, 6)).astype(np.float32)
    return made


def unevenness(rng: Generator, grains: int, shape: tuple[int, int], amount: float) -> NDArray[np.float32]:
    """Smooth noise (H, W) of standard deviation `amount`: `grains` x `grains` values, interpolated."""
    coarse = rng.normal(0, 1, (grains, grains)).astype(np.float32)
    made: Canvas = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32) * amount
    return made


def paste(canvas: Canvas, garment: Garment, centre: float, top: float, height: float, width: float) -> None:
    """Lay a garment on the canvas, resized; what lies outside is cut off."""
    height, width = max(2, round(height)), max(2, round(width))
    shrinks = height < garment.shape[0]
    resized = cv2.resize(garment, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    left, above = round(centre - width / 2), round(top)
    first_row, last_row = max(above, 0), min(above + height, canvas.shape[0])
    first, last = max(left, 0), min(left + width, canvas.shape[1])
    if last <= first or last_row <= first_row:
        return
    part = resized[first_row - above : last_row - above, first - left : last - left]
    opacity = part[..., 3:]
    region = canvas[first_row:last_row, first:last]
    region[:] = region * (1 - opacity) + part[..., :3] * opacity


def unworn(garment: Garment, rng: Generator, canvas: Canvas) -> Canvas:
    """The garment alone on the scene, a little off the middle, sometimes with its shadow."""
    side = len(canvas)
    scale = side * rng.uniform(0.62, 1.0) / max(garment.shape[:2])
    height, width = garment.shape[0] * scale, garment.shape[1] * scale
    centre = side / 2 + rng.uniform(-1, 1) * max(0.0, (side - width) / 2) * 0.4
    top = (side - height) / 2 + rng.uniform(-1, 1) * max(0.0, (side - height) / 2) * 0.5
    if rng.random() < 0.35:
        shadow = garment.copy()
        shadow[..., :3] = 0
        shadow[..., 3] = cv2.GaussianBlur(shadow[..., 3], (0, 0), max(1.0, len(garment) * 0.03))
        shadow[..., 3] *= rng.uniform(0.1, 0.35)
        paste(canvas, shadow, centre + rng.normal(0, 0.01) * side, top + side * rng.uniform(0, 0.03), height, width)
    paste(canvas, garment, centre, top, height, width)
    return canvas


def rotated(garment: Garment, degrees: float) -> Garment:
    """Turned about its middle, in a box that holds all of it."""
    height, width = garment.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    wide, tall = int(height * sine + width * cosine) + 1, int(height * cosine + width * sine) + 1
    turn[:, 2] += (wide - width) / 2, (tall - height) / 2
    made: Canvas = cv2.warpAffine(garment, turn, (wide, tall)).astype(np.float32)
    return made
