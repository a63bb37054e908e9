"""Drawn people, in parts: heads, limbs, anything with an outline. Crude, but a network sees hair, skin and arms."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hangtag.data.compose import Canvas, Colour
from hangtag.data.compose.scenes import unevenness

_SKIN = np.array(
    [
        [0.96, 0.80, 0.69],
        [0.88, 0.67, 0.53],
        [0.78, 0.55, 0.40],
        [0.62, 0.42, 0.29],
        [0.45, 0.29, 0.20],
        [0.33, 0.21, 0.15],
    ]
)
_HAIR = np.array(
    [[0.08, 0.06, 0.05], [0.22, 0.13, 0.08], [0.42, 0.27, 0.15], [0.75, 0.6, 0.38], [0.5, 0.2, 0.1], [0.6, 0.6, 0.6]]
)
_FINE = 3  # bits of a pixel's fraction in outlines


def skin_colour(rng: Generator) -> Colour:
    """One of six skins, a little lighter or darker."""
    colour: Colour = _SKIN[rng.integers(len(_SKIN))] * rng.uniform(0.9, 1.08)
    return colour


def hair_colour(rng: Generator) -> Colour:
    """One of six colours of hair, lighter or darker."""
    colour: Colour = _HAIR[rng.integers(len(_HAIR))] * rng.uniform(0.7, 1.2)
    return colour


def fill(canvas: Canvas, outline: Any, colour: Colour, rng: Generator) -> None:
    """Paint inside an outline, points (n, 2) as (x, y): soft at its edge, and darker there, as round things are."""
    inside = np.zeros(canvas.shape[:2], np.float32)
    points = np.round(np.asarray(outline) * 2**_FINE).astype(np.int32)
    cv2.fillPoly(inside, [points], 1.0, cv2.LINE_AA, _FINE)
    columns = np.flatnonzero(inside.max(0) > 0)
    if not len(columns):
        return
    opacity = cv2.GaussianBlur(inside, (0, 0), 1.2)
    deep = cv2.GaussianBlur(opacity, (0, 0), max(3.0, (columns[-1] - columns[0]) * 0.12))
    light = 0.72 + 0.33 * deep + unevenness(rng, 5, canvas.shape[:2], 0.02)
    opacity = opacity[..., None]
    canvas[:] = canvas * (1 - opacity) + np.clip(colour * light[..., None], 0, 1) * opacity


def limb(
    canvas: Canvas,
    start: tuple[float, float],
    end: tuple[float, float],
    widths: tuple[float, float],
    colour: Colour,
    rng: Generator,
) -> None:
    """An arm or a leg from (x, y) to (x, y), half as wide at either end as `widths` says."""
    first, last = np.array(start, float), np.array(end, float)
    along = (last - first) / (np.hypot(*(last - first)) + 1e-6)
    aside = np.array([-along[1], along[0]])
    tip = last + along * widths[1] * 0.8
    left = [first + aside * widths[0], last + aside * widths[1]]
    right = [last - aside * widths[1], first - aside * widths[0]]
    fill(canvas, [*left, tip, *right], colour, rng)


def head(canvas: Canvas, x: float, chin: float, height: float, skin: Colour, hair: Colour, rng: Generator) -> None:
    """Hair, neck, face; nine in ten heads have hair above, half of them long hair, nine in ten are seen from before."""
    middle = chin - height * 0.5
    if rng.random() < 0.5:
        across, down = height * rng.uniform(0.42, 0.52), height * rng.uniform(0.6, 0.8)
        fill(canvas, _oval(x, middle + height * rng.uniform(0.05, 0.25), across, down), hair, rng)
    limb(canvas, (x, chin - height * 0.2), (x, chin + height * 0.45), (height * 0.19, height * 0.24), skin * 0.9, rng)
    fill(canvas, _oval(x, middle, height * 0.36, height * 0.5), skin, rng)
    if rng.random() < 0.9:
        outer = _oval(x, middle - height * 0.02, height * 0.4, height * rng.uniform(0.5, 0.62), (1.02, 1.98))
        inner = _oval(x, middle - height * 0.1, height * 0.33, height * rng.uniform(0.15, 0.3), (1.98, 1.02))
        fill(canvas, np.concatenate([outer, inner]), hair, rng)
    if height > 20 and rng.random() < 0.9:
        _face(canvas, x, middle, height, skin)


def _face(canvas: Canvas, x: float, middle: float, height: float, skin: Colour) -> None:
    def at(across: float, down: float) -> tuple[int, int]:
        return round(x + across * height), round(middle + down * height)

    for side in (-0.14, 0.14):
        cv2.circle(canvas, at(side, -0.02), max(1, round(height * 0.035)), scalar(skin * 0.25), -1, cv2.LINE_AA)
    lips = max(1, round(height * 0.1)), max(1, round(height * 0.03))
    cv2.ellipse(canvas, at(0, 0.24), lips, 0, 0, 360, scalar(skin * (0.75, 0.5, 0.5)), -1, cv2.LINE_AA)
    cv2.line(canvas, at(0, 0), at(0.03, 0.12), scalar(skin * 0.8), 1, cv2.LINE_AA)


def _oval(x: float, y: float, across: float, down: float, turn: tuple[float, float] = (0, 2)) -> NDArray[np.float64]:
    """Points of an oval's edge between two angles in units of pi."""
    angles = np.linspace(turn[0] * np.pi, turn[1] * np.pi, 24)
    return np.stack([x + np.cos(angles) * across, y + np.sin(angles) * down], axis=1)


def scalar(colour: Colour) -> tuple[float, float, float]:
    """A colour as OpenCV's drawing functions take it."""
    red, green, blue = (float(value) for value in colour)
    return red, green, blue
