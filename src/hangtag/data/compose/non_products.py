"""Images of none of the classes: noise, text, letters, faces, watches, belts, wallets, caps, landscapes, patterns."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from hangtag.data.compose import Canvas
from hangtag.data.compose.cloth import cloth_colour
from hangtag.data.compose.people import fill, hair_colour, head, limb, scalar, skin_colour
from hangtag.data.compose.scenes import unevenness

_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FONTS = 8  # Hershey's, as OpenCV numbers them


def non_product(rng: Generator, canvas: Canvas) -> Canvas:
    """Draw something that is none of the classes on an empty scene, or leave it empty."""
    kinds: tuple[Callable[[Generator, Canvas], None], ...] = (
        _noise,
        _text,
        _letter,
        _portrait,
        _watch,
        _belt,
        _wallet,
        _cap,
        _landscape,
        _pattern,
        _shapes,
        lambda rng, canvas: None,
    )
    kinds[rng.integers(len(kinds))](rng, canvas)
    return np.clip(canvas, 0, 1, out=canvas)


def _noise(rng: Generator, canvas: Canvas) -> None:
    if rng.random() < 0.5:
        canvas[:] = rng.random(canvas.shape)
    else:
        clouds = unevenness(rng, int(rng.integers(3, 60)), canvas.shape[:2], 0.3)
        canvas[:] = 0.5 + clouds[..., None] + rng.normal(0, 0.1, 3)


def _text(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    for y in range(14, side, int(rng.integers(14, 40))):
        text = "".join(chr(code) for code in rng.integers(48, 122, int(rng.integers(4, 30))))
        at, size = (int(rng.integers(2, 30)), y), float(rng.uniform(0.3, 1.2))
        _write(canvas, text, at, size, int(rng.integers(1, 3)), rng)


def _letter(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    at = int(side * rng.uniform(0.1, 0.3)), int(side * rng.uniform(0.7, 0.9))
    _write(canvas, str(rng.choice([*_CHARACTERS])), at, float(rng.uniform(4, 9)), int(rng.integers(3, 20)), rng)


def _portrait(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    place = side * rng.uniform(0.4, 0.6), side * rng.uniform(0.7, 0.95), side * rng.uniform(0.5, 0.9)
    head(canvas, *place, skin_colour(rng), hair_colour(rng), rng)


def _watch(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    middle, radius = side / 2, side * rng.uniform(0.15, 0.28)
    widths = radius * 0.6, radius * 0.55
    limb(canvas, (middle, side * 0.02), (middle, side * 0.98), widths, cloth_colour(rng), rng)
    for share in (1.0, 0.8):
        cv2.circle(canvas, (side // 2, side // 2), round(radius * share), scalar(cloth_colour(rng)), -1, cv2.LINE_AA)
    for angle in rng.random(2) * 2 * np.pi:
        tip = round(middle + np.cos(angle) * radius * 0.6), round(middle + np.sin(angle) * radius * 0.6)
        cv2.line(canvas, (side // 2, side // 2), tip, (0.05, 0.05, 0.05), 2, cv2.LINE_AA)


def _belt(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    leather, thick = scalar(cloth_colour(rng) * 0.7), int(side * rng.uniform(0.05, 0.1))
    if rng.random() < 0.5:
        axes = int(side * 0.38), int(side * rng.uniform(0.2, 0.38))
        turn = float(rng.uniform(-20, 20))
        cv2.ellipse(canvas, (side // 2, side // 2), axes, turn, 0, 360, leather, thick, cv2.LINE_AA)
    else:
        left, right = (int(side * rng.uniform(0.3, 0.7)) for _ in range(2))
        cv2.line(canvas, (int(side * 0.05), left), (int(side * 0.95), right), leather, thick, cv2.LINE_AA)
    x, y = (int(side * rng.uniform(0.3, 0.6)) for _ in range(2))
    cv2.rectangle(canvas, (x, y), (x + thick * 2, y + thick * 2), (0.7, 0.65, 0.5), max(2, thick // 4), cv2.LINE_AA)


def _wallet(rng: Generator, canvas: Canvas) -> None:
    """Or a box, a phone, a book."""
    side = len(canvas)
    x, y, colour = side * rng.uniform(0.12, 0.3), side * rng.uniform(0.2, 0.35), cloth_colour(rng)
    skew = rng.normal(0, 4, 2)
    fill(canvas, [(x, y), (side - x, y + skew[0]), (side - x, side - y), (x, side - y + skew[1])], colour, rng)
    if rng.random() < 0.6:
        cv2.line(canvas, (int(x), side // 2), (int(side - x), side // 2), scalar(colour * 0.6), 2, cv2.LINE_AA)


def _cap(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    colour, radius, brim = cloth_colour(rng), side * rng.uniform(0.25, 0.35), side * 0.6
    angles = np.linspace(np.pi, 2 * np.pi, 20)
    crown = np.stack([side / 2 + np.cos(angles) * radius, brim + np.sin(angles) * radius * 0.9], axis=1)
    fill(canvas, crown, colour, rng)
    way = rng.choice((-1, 1))
    peak = [(-0.2, -0.04), (1.7, 0.15), (0.9, 0.25), (-0.2, 0.1)]
    fill(canvas, [(side / 2 + way * radius * x, brim + radius * y) for x, y in peak], colour * 0.85, rng)


def _landscape(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    horizon = int(side * rng.uniform(0.3, 0.7))
    canvas[:horizon] = np.array([0.5, 0.7, 0.95]) * rng.uniform(0.7, 1.1)
    canvas[horizon:] = cloth_colour(rng) * 0.8
    hills = horizon - abs(unevenness(rng, 6, (1, side), side * 0.12)[0])
    rock = cloth_colour(rng) * 0.6
    for x in range(side):
        canvas[int(max(0, hills[x])) : horizon, x] = rock
    canvas += unevenness(rng, 40, (side, side), 0.05)[..., None]


def _pattern(rng: Generator, canvas: Canvas) -> None:
    y, x = np.mgrid[0 : len(canvas), 0 : len(canvas)] // int(rng.integers(4, 40))
    squares = x if rng.random() < 0.5 else x + y
    canvas[:] = np.where(squares[..., None] % 2, cloth_colour(rng), cloth_colour(rng))


def _shapes(rng: Generator, canvas: Canvas) -> None:
    side = len(canvas)
    for _ in range(int(rng.integers(1, 9))):
        angles = np.sort(rng.random(int(rng.integers(3, 9)))) * 2 * np.pi
        radius, middle = side * rng.uniform(0.05, 0.4), side * rng.random(2)
        outline = middle + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius
        fill(canvas, outline, cloth_colour(rng), rng)


def _write(canvas: Canvas, text: str, at: tuple[int, int], size: float, thick: int, rng: Generator) -> None:
    """OpenCV writes on 8-bit images alone."""
    page = (canvas * 255).astype(np.uint8)
    colour = tuple(int(255 * value) for value in np.clip(cloth_colour(rng), 0, 1))
    cv2.putText(page, text, at, int(rng.integers(_FONTS)), size, colour, thick, cv2.LINE_AA)
    canvas[:] = page.astype(np.float32) / 255
