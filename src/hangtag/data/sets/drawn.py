"""Drawn garments: Fashion-MNIST's ten classes from a seeded pen, so that a first try needs no download.

The pictures keep the rules Zalando's keep (arXiv:1708.07747, section 2): a light garment on black, longest edge filling
the picture, short edge centred, shoes pointing left. Shape, cut, cloth, print and light are drawn at random for each
picture. A network that has seen nothing else recognises more than half of the real test pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, Pictures, Split
from hangtag.data.sets import Progress, register
from hangtag.data.sets.fashion_mnist import CLASS_NAMES

TRAINING_PICTURES = 6_000
TEST_PICTURES = 1_000
_TRAINING_SEED, _TEST_SEED = 1, 2
_FINE = 4  # a picture is drawn this much larger, then shrunk: that is its anti-aliasing
_SPAN = 1.4  # the canvas shows x and y from -0.7 to 0.7; a garment is about 1 long

Point: TypeAlias = tuple[float, float]


@register(
    "drawn",
    source="Garments drawn by Hangtag’s own seeded pen.",
    licence="MIT, as Hangtag.",
    limits=("It has seen drawings only: of real pictures it recognises about two in three.",),
)
def drawn(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """6,000 training and 1,000 test pictures, always the same."""
    if path is not None:
        raise HangtagError("usage_value", f"drawn garments lie in no folder: say --data drawn, not drawn={path}")
    if not 16 <= size <= 512:
        raise HangtagError("usage_value", f"garments are drawn from 16 to 512 pixels a side, not {size}")
    return Dataset(
        "drawn",
        CLASS_NAMES,
        lambda: pictures(TRAINING_PICTURES, _TRAINING_SEED, size, colour, progress),
        lambda: pictures(TEST_PICTURES, _TEST_SEED, size, colour, progress),
        "drawn by hangtag",
    )


def pictures(
    n: int, seed: int, size: int = 28, colour: bool = False, progress: Progress = lambda what, done, total: None
) -> Split:
    """`n` garments, the ten classes in turn. A larger `n` begins with the same pictures.

    Args:
        n: how many.
        seed: which ones.
        size, colour: pixels along a side; (size, size, 3) in place of (size, size).
        progress: told about each hundredth picture.
    """
    images = np.empty((n, size, size, 3) if colour else (n, size, size), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % len(CLASS_NAMES)
    for i, label in enumerate(labels):
        images[i] = draw(int(label), np.random.default_rng([seed, i]), size, colour)
        if i % 100 == 99 or i == n - 1:
            progress("drawing", i + 1, n)
    return Split(images, labels, CLASS_NAMES)


def draw(label: int, rng: Generator, size: int = 28, colour: bool = False) -> Pictures:
    """One garment of class `label` (0..9): (size, size) or (size, size, 3) uint8 on black."""
    pen = _Pen(size * _FINE)
    _GARMENTS[label](pen, rng)
    cloth = pen.cloth()  # (S, S) 0..1, 0 where there is none
    cloth *= _weave(rng, cloth, _PRINTED[label])
    cloth[cloth > 0] = np.clip(cloth[cloth > 0] * _brightness(rng), 0.05, 1.0)
    grey = _sharpen(_fit(cloth, size), rng)
    if not colour:
        return grey
    tint = rng.uniform(0.35, 1.0, 3)
    return np.asarray(np.rint(grey[..., None] * (tint / tint.max())), dtype=np.uint8)


class _Pen:
    """Draws in garment coordinates: x to the right, y down, the middle at (0, 0)."""

    def __init__(self, pixels: int) -> None:
        self._image = Image.new("L", (pixels, pixels))
        self._draw = ImageDraw.Draw(self._image)
        self._scale, self._middle = pixels / _SPAN, pixels / 2

    def _at(self, points: list[Point]) -> list[Point]:
        return [(x * self._scale + self._middle, y * self._scale + self._middle) for x, y in points]

    def patch(self, points: list[Point], shade: float = 1.0) -> None:
        """A filled polygon."""
        self._draw.polygon(self._at(points), fill=round(255 * shade))

    def both(self, points: list[Point], shade: float = 1.0) -> None:
        """A filled polygon and its mirror image."""
        self.patch(points, shade)
        self.patch([(-x, y) for x, y in points], shade)

    def folded(self, half: list[Point], shade: float = 1.0) -> None:
        """A symmetric polygon from its right half, top to bottom."""
        self.patch([*half, *((-x, y) for x, y in reversed(half))], shade)

    def line(self, points: list[Point], width: float, shade: float) -> None:
        self._draw.line(
            self._at(points), fill=round(255 * shade), width=max(1, round(width * self._scale)), joint="curve"
        )

    def oval(self, x: float, y: float, rx: float, ry: float, shade: float) -> None:
        self._draw.ellipse(self._box(x, y, rx, ry), fill=round(255 * shade))

    def ring(self, x: float, y: float, rx: float, ry: float, width: float, shade: float, start: int, end: int) -> None:
        """Part of an ellipse's edge, degrees clockwise from three o'clock."""
        self._draw.arc(
            self._box(x, y, rx, ry), start, end, fill=round(255 * shade), width=max(1, round(width * self._scale))
        )

    def _box(self, x: float, y: float, rx: float, ry: float) -> list[Point]:
        return self._at([(x - rx, y - ry), (x + rx, y + ry)])

    def cloth(self) -> NDArray[np.float32]:
        return np.asarray(self._image, dtype=np.float32) / np.float32(255)


def _fit(cloth: NDArray[np.float32], size: int) -> Pictures:
    """Crop to the garment, longest edge to `size`, centred on black."""
    rows, columns = np.flatnonzero(cloth.any(axis=1)), np.flatnonzero(cloth.any(axis=0))
    cut = cloth[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = size / max(cut.shape)
    height, width = (max(1, round(n * scale)) for n in cut.shape)
    small = Image.fromarray((cut * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    picture = np.zeros((size, size), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    picture[top : top + height, left : left + width] = np.asarray(small)
    return picture


def _sharpen(picture: Pictures, rng: Generator) -> Pictures:
    """What Zalando's sharpening leaves: livelier detail, and the grain of the cloth."""
    values = picture.astype(np.float32)
    around = (np.roll(values, 1, 0) + np.roll(values, -1, 0) + np.roll(values, 1, 1) + np.roll(values, -1, 1)) / 4
    grain = rng.normal(0, rng.uniform(0.01, 0.06), picture.shape).astype(np.float32)
    livelier = values + rng.uniform(0.2, 0.9) * (values - around) + grain * values
    return np.asarray(np.where(picture > 0, np.clip(livelier, 1, 255), 0), dtype=np.uint8)


def _brightness(rng: Generator) -> float:
    """Light cloth is the most common."""
    low, high = [(0.75, 1.0), (0.5, 0.8), (0.18, 0.5)][rng.choice(3, p=[0.5, 0.35, 0.15])]
    return float(rng.uniform(low, high))


def _weave(rng: Generator, cloth: NDArray[np.float32], printed: float) -> NDArray[np.float32]:
    """Factors (S, S) around 1: light and folds, and with chance `printed` stripes, checks or blossom."""
    side = len(cloth)
    y, x = np.mgrid[-0.7 : 0.7 : side * 1j, -0.7 : 0.7 : side * 1j].astype(np.float32)
    factor = 1 + rng.normal(0, 0.15) * y + rng.normal(0, 0.12) * x - rng.uniform(0, 0.5) * np.abs(x) ** 2
    factor = factor + rng.uniform(0.01, 0.06) * _clouds(rng, side, 14)
    if rng.random() < printed:
        depth, turns = rng.uniform(0.25, 0.85), rng.uniform(5, 16) * 2 * np.pi
        phase = rng.uniform(0, 6.28)
        across = np.sin(turns * y + phase) > rng.uniform(-0.6, 0.6)
        along = np.sin(turns * x + phase) > rng.uniform(-0.6, 0.6)
        pattern = rng.choice(4, p=[0.3, 0.1, 0.25, 0.35])
        if pattern == 0:
            factor = factor * (1 - depth * across)
        elif pattern == 1:
            factor = factor * (1 - depth * along)
        elif pattern == 2:
            factor = factor * (1 - depth * (0.5 * across + 0.5 * along))
        else:
            factor = factor * (1 - depth * np.clip(_clouds(rng, side, int(rng.integers(10, 26))) * 0.8, 0, 1))
    return np.asarray(np.clip(factor, 0.1, 1.6), dtype=np.float32)


def _clouds(rng: Generator, side: int, grains: int) -> NDArray[np.float32]:
    """Smooth noise of unit variance at the grains, (S, S)."""
    coarse = Image.fromarray(rng.normal(0, 1, (grains, grains)).astype(np.float32))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BILINEAR), dtype=np.float32)


def _body(pen: _Pen, rng: Generator, *, half: float, hem: float, sleeve: float, neck: float, depth: float) -> None:
    """What hangs from shoulders: sleeves, then the body over them.

    Args:
        pen, rng: what draws, and what decides.
        half: half the body's width.
        hem: y of the hem; the shoulders are at -0.5.
        sleeve: 0 none, 0.3 short, 1 to the hip.
        neck: half the neckline's width.
        depth: how deep the neckline hangs.
    """
    shoulder = half * rng.uniform(0.8, 0.98)
    top, drop = -0.5, rng.uniform(0.03, 0.09)
    armpit = top + rng.uniform(0.2, 0.3)
    shade = rng.uniform(0.8, 1.0)
    if sleeve > 0.55:  # hangs beside the body, with a gap between that widens downwards
        end = top + drop + sleeve * rng.uniform(0.88, 0.96)
        out, thick = half + rng.uniform(0.08, 0.15), rng.uniform(0.09, 0.13)
        pen.both(
            [
                (shoulder * 0.8, top + drop * 0.6), (shoulder + 0.03, top + drop + 0.04), (out * 0.93, top + 0.35),
                (out, end), (out - thick * 0.8, end + rng.uniform(0, 0.03)), (out * 0.93 - thick, top + 0.45),
                (half * 0.8, armpit),
            ],
            shade,
        )  # fmt: skip
        if rng.random() < 0.3:
            pen.both(
                [(out, end), (out - thick * 0.8, end), (out - thick * 0.8, end - 0.05), (out, end - 0.05)], shade * 0.75
            )
    elif sleeve > 0:
        reach, length = rng.uniform(0.08, 0.2), sleeve * rng.uniform(0.8, 1)
        out, end = shoulder + reach, top + drop + length
        cuff = rng.uniform(0.08, 0.14)
        pen.both(
            [
                (shoulder * 0.8, top + drop * 0.6), (shoulder + reach * 0.35, top + drop + length * 0.25),
                (out, end), (out - cuff, end + rng.uniform(0, 0.05)), (half * 0.8, armpit + 0.03),
            ],
            shade,
        )  # fmt: skip
    waist = half * rng.uniform(0.84, 1.0)
    pen.folded(
        [
            (neck, top),
            (shoulder, top + drop),
            (half * (0.97 if sleeve > 0 else rng.uniform(0.75, 0.95)), armpit),
            (waist, (armpit + hem) / 2),
            (half * rng.uniform(0.9, 1.05), hem),
        ]
    )
    if sleeve > 0.55:
        gap = rng.choice([0.0, rng.uniform(0.1, 0.5)], p=[0.7, 0.3])
        wide = rng.uniform(0.008, 0.03)
        for side in (-1, 1):
            line = [
                (side * half * 0.98, armpit + rng.uniform(0.02, 0.15)),
                (side * (waist + 0.015), (armpit + hem) / 2),
            ]
            pen.line([*line, (side * half * 1.03, hem)], wide, gap)
    if depth > 0:
        inside = rng.choice([0.0, rng.uniform(0.3, 0.9)], p=[0.3, 0.7])  # nothing, or the back of the garment
        pen.oval(0, top, neck, depth, inside)
        if rng.random() < 0.5:
            pen.ring(0, top, neck, depth, 0.02, rng.uniform(0.6, 0.9), 0, 180)


def _chest_print(pen: _Pen, rng: Generator) -> None:
    """A picture, a word or a badge on the chest."""
    y, shade = rng.uniform(-0.22, 0.1), rng.uniform(0.05, 0.8)
    kind = rng.integers(4)
    if kind == 0:
        pen.oval(0, y, rng.uniform(0.06, 0.14), rng.uniform(0.06, 0.14), shade)
    elif kind == 1:
        for row in range(int(rng.integers(1, 4))):
            reach = rng.uniform(0.08, 0.18)
            pen.line([(-reach, y + 0.05 * row), (reach, y + 0.05 * row)], 0.025, shade)
    elif kind == 2:
        w, h = rng.uniform(0.06, 0.16), rng.uniform(0.05, 0.15)
        pen.patch([(-w, y - h), (w, y - h), (w, y + h), (-w, y + h)], shade)
    else:
        pen.patch([(rng.uniform(-0.16, 0.16), y + rng.uniform(-0.15, 0.15)) for _ in range(5)], shade)


def _front(pen: _Pen, rng: Generator, hem: float, shade: float, width: float) -> None:
    pen.line([(0, -0.46), (rng.normal(0, 0.008), hem)], width, shade)


def _collar(pen: _Pen, rng: Generator, neck: float, size: float) -> None:
    shade = rng.uniform(0.6, 1.0)
    pen.both([(neck * 0.9, -0.53), (neck + 0.03, -0.47), (neck * 0.6, -0.47 + size), (0.005, -0.44)], shade)
    pen.line([(neck, -0.48), (neck * 0.55, -0.46 + size)], 0.012, shade * 0.4)
    pen.line([(-neck, -0.48), (-neck * 0.55, -0.46 + size)], 0.012, shade * 0.4)


def _t_shirt(pen: _Pen, rng: Generator) -> None:
    sleeve = rng.choice([0.0, rng.uniform(0.2, 0.34), 0.45], p=[0.1, 0.84, 0.06])
    _body(
        pen,
        rng,
        half=rng.uniform(0.24, 0.31) if sleeve else rng.uniform(0.2, 0.28),
        hem=0.5,
        sleeve=sleeve,
        neck=rng.uniform(0.09, 0.15),
        depth=rng.uniform(0.02, 0.09) if sleeve else rng.uniform(0.08, 0.22),
    )
    if rng.random() < 0.5:
        _chest_print(pen, rng)


def _trouser(pen: _Pen, rng: Generator) -> None:
    waist, hip = rng.uniform(0.13, 0.18), rng.uniform(0.16, 0.21)
    crotch = rng.uniform(-0.32, -0.12)
    cuff = hip * rng.uniform(0.85, 1.1)
    inner = cuff * rng.uniform(0.15, 0.5)
    pen.both(
        [
            (0, -0.5), (waist, -0.5), (hip, crotch - 0.05), (hip * rng.uniform(0.92, 1.02), 0.1), (cuff, 0.5),
            (inner, 0.5), (inner * rng.uniform(0.4, 0.8), 0.1), (0, crotch),
        ]
    )  # fmt: skip
    pen.line([(0, crotch), (0, 0.5)], rng.uniform(0.02, 0.05), rng.choice([0.0, 0.3], p=[0.8, 0.2]))
    pen.line([(-waist, -0.47), (waist, -0.47)], 0.02, rng.uniform(0.4, 0.9))
    if rng.random() < 0.5:
        pen.line([(0, -0.5), (0, crotch)], 0.01, rng.uniform(0.4, 0.8))
    if rng.random() < 0.3:
        pen.line([(hip * 0.5, -0.2), (cuff * 0.7, 0.4)], 0.02, rng.uniform(0.6, 0.9))


def _pullover(pen: _Pen, rng: Generator) -> None:
    half = rng.uniform(0.22, 0.29)
    hem, neck = rng.uniform(0.42, 0.5), rng.uniform(0.08, 0.14)
    _body(pen, rng, half=half, hem=hem, sleeve=rng.uniform(0.84, 1.04), neck=neck, depth=rng.uniform(0.02, 0.07))
    if rng.random() < 0.4:
        pen.line([(-half, hem - 0.03), (half, hem - 0.03)], 0.05, rng.uniform(0.65, 0.95))
    kind = rng.random()
    if kind < 0.3:
        _chest_print(pen, rng)
    elif kind < 0.42:
        y, h = rng.uniform(-0.25, 0.2), rng.uniform(0.04, 0.14)
        pen.folded([(half * 0.95, y), (half * 0.95, y + h)], rng.uniform(0.1, 0.8))
    elif kind < 0.55:  # a hood lies behind the neck
        pen.oval(0, -0.47, neck * 1.4, 0.08, rng.uniform(0.5, 0.9))
        pen.oval(0, -0.44, neck * 0.8, 0.06, rng.uniform(0.1, 0.5))


def _dress(pen: _Pen, rng: Generator) -> None:
    bust, waist = rng.uniform(0.13, 0.2), rng.uniform(0.11, 0.17)
    line = rng.uniform(-0.22, -0.02)
    hem = waist * rng.choice(
        [rng.uniform(0.95, 1.2), rng.uniform(1.2, 1.7), rng.uniform(1.7, 2.5)], p=[0.45, 0.4, 0.15]
    )
    top = -0.5
    arms = rng.random()
    neck = bust * rng.uniform(0.4, 0.75)
    if arms < 0.33:  # long sleeves hang close
        out, end = bust + rng.uniform(0.06, 0.13), rng.uniform(0.0, 0.22)
        pen.both(
            [
                (bust * 0.8, top + 0.03),
                (bust + 0.03, top + 0.08),
                (out, end),
                (out - 0.07, end),
                (bust * 0.8, top + 0.22),
            ],
            rng.uniform(0.7, 1),
        )
    elif arms < 0.65:
        out, end = bust + rng.uniform(0.05, 0.12), top + rng.uniform(0.14, 0.26)
        pen.both(
            [(bust * 0.8, top + 0.03), (bust + 0.03, top + 0.06), (out, end), (bust * 0.85, top + 0.2)],
            rng.uniform(0.75, 1),
        )
    strap = arms > 0.85
    shoulder = (
        [(neck * 0.9, top + 0.14), (bust * 0.8, top + 0.14)] if strap else [(neck, top), (bust * 0.97, top + 0.04)]
    )
    pen.folded(
        [*shoulder, (bust, top + 0.2), (waist, line), ((waist + hem) / 2 * rng.uniform(1, 1.15), 0.15), (hem, 0.5)]
    )
    if strap:
        pen.line([(neck, top), (neck, top + 0.2)], 0.025, 0.9)
        pen.line([(-neck, top), (-neck, top + 0.2)], 0.025, 0.9)
    else:
        pen.oval(0, top, neck, rng.uniform(0.02, 0.12), rng.uniform(0, 0.8))
    if rng.random() < 0.4:
        pen.line([(-waist, line), (waist, line)], rng.uniform(0.01, 0.04), rng.uniform(0.2, 0.8))
    for fold in range(int(rng.integers(0, 4))):
        x = (fold - 1) * waist * 0.6
        pen.line([(x, line + 0.05), (x * hem / waist, 0.48)], 0.012, rng.uniform(0.65, 0.9))
    if rng.random() < 0.25:
        _chest_print(pen, rng)


def _coat(pen: _Pen, rng: Generator) -> None:
    half, hem = rng.uniform(0.2, 0.27), rng.uniform(0.46, 0.58)
    neck = rng.uniform(0.08, 0.13)
    _body(pen, rng, half=half, hem=hem, sleeve=rng.uniform(0.92, 1.06), neck=neck, depth=rng.uniform(0.0, 0.05))
    if rng.random() < 0.3:  # hood
        pen.oval(0, -0.47, neck * 1.5, 0.1, rng.uniform(0.5, 0.9))
        pen.oval(0, -0.45, neck * 0.8, 0.07, rng.uniform(0.05, 0.4))
    if rng.random() < 0.55:
        _collar(pen, rng, neck, rng.uniform(0.06, 0.22))
    opening = rng.random()
    if opening < 0.12:  # worn open
        gap = rng.uniform(0.02, 0.06)
        pen.folded([(0.01, -0.4), (gap, 0.0), (gap * 1.2, hem)], rng.uniform(0.05, 0.5))
    else:
        line = rng.choice([rng.uniform(0.05, 0.5), rng.uniform(0.6, 0.92), 1.0], p=[0.35, 0.55, 0.1])
        _front(pen, rng, hem, line, rng.uniform(0.01, 0.025))
    if rng.random() < 0.5:
        y, tilt = rng.uniform(0.1, 0.25), rng.uniform(-0.03, 0.06)
        for side in (-1, 1):
            pen.line([(side * half * 0.35, y), (side * half * 0.75, y + tilt)], 0.018, rng.uniform(0.2, 0.6))
    if rng.random() < 0.35:
        for button in range(4):
            pen.oval(0.04, -0.25 + 0.16 * button, 0.014, 0.014, rng.uniform(0.1, 0.5))


def _shirt(pen: _Pen, rng: Generator) -> None:
    half, hem = rng.uniform(0.21, 0.3), rng.uniform(0.46, 0.52)
    neck = rng.uniform(0.07, 0.13)
    sleeve = rng.choice(
        [0.0, rng.uniform(0.25, 0.45), rng.uniform(0.55, 0.75), rng.uniform(0.85, 1.0)], p=[0.06, 0.32, 0.14, 0.48]
    )
    buttoned = rng.random() < 0.72
    _body(pen, rng, half=half, hem=hem, sleeve=sleeve, neck=neck, depth=0.03 if buttoned else rng.uniform(0.04, 0.16))
    if buttoned:
        _collar(pen, rng, neck, rng.uniform(0.05, 0.1))
        _front(pen, rng, hem, rng.uniform(0.45, 0.8), 0.012)
        if rng.random() < 0.6:
            for button in range(5):
                pen.oval(0, -0.32 + 0.16 * button, 0.012, 0.012, rng.uniform(0.1, 0.6))
        if rng.random() < 0.35:
            pen.line([(0.07, -0.2), (0.17, -0.2)], 0.012, 0.6)
    elif rng.random() < 0.5:
        pen.patch([(-neck * 0.6, -0.5), (neck * 0.6, -0.5), (0, rng.uniform(-0.4, -0.2))], rng.uniform(0, 0.4))


def _sandal(pen: _Pen, rng: Generator) -> None:
    heel = rng.choice([0.0, rng.uniform(0.05, 0.15), rng.uniform(0.25, 0.5)], p=[0.35, 0.2, 0.45])
    thick = rng.uniform(0.03, 0.1)
    toe, back, floor = -0.5, rng.uniform(0.38, 0.5), 0.2
    rise = floor - heel
    sole = [
        (toe, floor - thick * 0.7),
        (-0.2, floor - thick),
        (0.12, rise * 0.6 + floor * 0.4 - thick),
        (back, rise - thick),
    ]
    under = [(back, rise), (0.15, rise * 0.6 + floor * 0.4), (-0.2, floor), (toe + 0.03, floor)]
    pen.patch([*sole, *under], rng.uniform(0.55, 1))
    if heel > 0.03:
        if rng.random() < 0.35:  # wedge
            pen.patch(
                [(-0.2, floor), (0.12, rise * 0.6 + floor * 0.4), (back, rise), (back - 0.02, floor)],
                rng.uniform(0.4, 1),
            )
        else:
            width = rng.uniform(0.03, 0.12)
            pen.patch([(back - 0.14, rise), (back, rise), (back, floor), (back - width, floor)], rng.uniform(0.5, 1))
    width = rng.uniform(0.025, 0.06)

    def height(x: float) -> float:
        return float(np.interp(x, [p[0] for p in sole], [p[1] for p in sole]))

    for _ in range(int(rng.integers(1, 5))):  # over the toes
        x, across = rng.uniform(-0.45, -0.15), rng.uniform(0.08, 0.2)
        peak = height(x) - rng.uniform(0.08, 0.2)
        pen.line(
            [(x, height(x)), (x + across * 0.5, peak), (x + across, height(x + across))], width, rng.uniform(0.5, 1)
        )
    ankle = rng.random()
    if ankle < 0.75:
        tall = rng.uniform(0.12, 0.36)
        x = back - rng.uniform(0.0, 0.05)
        top = rise - thick - tall
        pen.line([(x, rise - thick), (x - 0.01, top)], width, rng.uniform(0.6, 1))
        pen.line([(x, top), (x - rng.uniform(0.1, 0.2), top + rng.uniform(-0.03, 0.08))], width, rng.uniform(0.6, 1))
        if rng.random() < 0.6:
            at = rng.uniform(-0.3, 0.0)
            pen.line([(x - 0.02, top + 0.04), (at, height(at))], width, rng.uniform(0.6, 1))
    else:  # slipper: one broad band
        pen.patch(
            [(-0.4, height(-0.4)), (-0.22, floor - 0.25), (-0.05, floor - 0.28), (0.08, height(0.08))],
            rng.uniform(0.5, 1),
        )


def _sneaker(pen: _Pen, rng: Generator) -> None:
    collar = rng.choice([rng.uniform(0.32, 0.48), rng.uniform(0.48, 0.65)], p=[0.8, 0.2])  # height at the heel
    toe, vamp = rng.uniform(0.1, 0.19), rng.uniform(0.6, 0.85)
    floor, sole = 0.18, rng.uniform(0.03, 0.09)
    top = floor - collar
    opening = rng.uniform(0.1, 0.2)
    upper = [
        (-0.5, floor - sole), (-0.47, floor - toe), (-0.34, floor - toe * 1.3), (-0.05, floor - collar * vamp),
        (opening, top), (opening + 0.1, top + rng.uniform(0.03, 0.08)), (0.42, top + rng.uniform(0, 0.04)),
        (0.48, top + 0.06), (0.47, floor - 0.12), (0.5, floor - sole),
    ]  # fmt: skip
    pen.patch(upper, rng.uniform(0.6, 0.95))
    pen.patch([(-0.5, floor - sole), (0.5, floor - sole), (0.49, floor), (-0.46, floor)], rng.uniform(0.35, 1))
    pen.line([(-0.5, floor - sole), (0.5, floor - sole)], 0.012, rng.uniform(0.2, 0.7))
    if rng.random() < 0.7:
        for lace in range(int(rng.integers(2, 5))):
            x, y = -0.22 + 0.08 * lace, floor - toe - (collar * vamp - toe) * (0.3 + 0.2 * lace)
            pen.line([(x, y), (x + 0.07, y + 0.06)], 0.015, rng.uniform(0.2, 1))
    decoration = rng.random()
    if decoration < 0.4:
        shade, lean = rng.uniform(0.1, 1), rng.uniform(-0.1, 0.1)
        for stripe in range(int(rng.integers(1, 4))):
            x = -0.05 + 0.08 * stripe
            pen.line([(x, floor - sole - 0.02), (x + lean, top + 0.12)], 0.025, shade)
    elif decoration < 0.65:
        shade = rng.uniform(0.1, 1)
        pen.line([(-0.2, floor - sole - 0.05), (0.05, floor - sole - 0.04), (0.4, floor - collar * 0.6)], 0.04, shade)
    if rng.random() < 0.4:
        pen.patch(
            [(-0.5, floor - sole), (-0.47, floor - toe), (-0.34, floor - toe * 1.2), (-0.3, floor - sole)],
            rng.uniform(0.3, 1),
        )
    if rng.random() < 0.4:
        pen.patch(
            [(0.36, top + 0.04), (0.48, top + 0.06), (0.48, floor - sole), (0.38, floor - sole)], rng.uniform(0.2, 1)
        )


def _bag(pen: _Pen, rng: Generator) -> None:
    wide, tall = rng.uniform(0.3, 0.5), rng.uniform(0.18, 0.4)
    top, bottom = 0.5 - 2 * tall, 0.5
    lean = rng.uniform(0.75, 1.1)
    handle = rng.choice([0.0, rng.uniform(0.08, 0.25), rng.uniform(0.25, 0.55)], p=[0.25, 0.4, 0.35])
    if handle > 0:
        span = wide * rng.uniform(0.3, 0.85)
        top = max(top, -0.62 + handle)
        shade, width = rng.uniform(0.5, 1), rng.uniform(0.02, 0.05)
        if rng.random() < 0.6:
            pen.ring(0, top + 0.02, span, handle, width, shade, 180, 360)
        else:
            pen.line(
                [(-span, top + 0.02), (-span * 0.6, top - handle), (span * 0.6, top - handle), (span, top + 0.02)],
                width,
                shade,
            )
        if rng.random() < 0.25:
            pen.ring(0, top + 0.02, span * 0.85, handle * 0.8, width, shade * 0.7, 180, 360)
    corner = rng.uniform(0.0, 0.1)
    pen.folded(
        [
            (wide * lean - corner, top), (wide * lean, top + corner),
            (wide, bottom - corner), (wide - corner, bottom),
        ],
        rng.uniform(0.75, 1),
    )  # fmt: skip
    style = rng.random()
    if style < 0.4:
        drop = (bottom - top) * rng.uniform(0.3, 0.7)
        pen.folded([(wide * lean, top), (wide * lean * rng.uniform(0.8, 1), top + drop)], rng.uniform(0.6, 1))
        pen.line([(-wide * 0.9, top + drop), (wide * 0.9, top + drop)], 0.015, rng.uniform(0.1, 0.6))
    elif style < 0.6:
        y = top + (bottom - top) * rng.uniform(0.1, 0.5)
        pen.line([(-wide * 0.95, y), (wide * 0.95, y)], rng.uniform(0.01, 0.03), rng.uniform(0.1, 0.7))
    elif style < 0.75:
        x = wide * rng.uniform(0.4, 0.7)
        for side in (-1, 1):
            pen.line([(side * x, top), (side * x, bottom)], 0.03, rng.uniform(0.3, 0.9))
    if rng.random() < 0.4:
        pen.oval(0, (top + bottom) / 2, rng.uniform(0.02, 0.05), rng.uniform(0.02, 0.05), rng.uniform(0.05, 1))


def _ankle_boot(pen: _Pen, rng: Generator) -> None:
    tall = rng.choice([rng.uniform(0.52, 0.7), rng.uniform(0.7, 1.0)])
    floor, sole = 0.45, rng.uniform(0.03, 0.07)
    heel = rng.choice([0.0, rng.uniform(0.04, 0.1), rng.uniform(0.15, 0.3)], p=[0.4, 0.35, 0.25])
    top, toe = floor - tall, rng.uniform(0.1, 0.17)
    ankle = min(rng.uniform(0.28, 0.38) + heel * 0.5, tall - 0.12)  # height where the shaft begins
    front, back = rng.uniform(-0.02, 0.12), rng.uniform(0.38, 0.46)
    lift = floor - sole - heel
    pen.patch(
        [
            (-0.5, floor - sole), (-0.49, floor - toe * 0.8), (-0.38, floor - toe * 1.3), (-0.16, floor - ankle * 0.75),
            (front, floor - ankle - 0.06), (front - rng.uniform(-0.03, 0.06), top),
            (back + rng.uniform(-0.04, 0.03), top + rng.uniform(-0.02, 0.04)), (back - 0.03, (top + lift) / 2),
            (back + 0.02, lift - 0.06), (back + 0.01, lift), (0.12, lift + heel * 0.4), (-0.15, floor - sole),
        ],
        rng.uniform(0.85, 1),
    )  # fmt: skip
    shade = rng.uniform(0.3, 0.9)
    pen.line([(-0.5, floor - sole / 2), (-0.14, floor - sole / 2), (0.12, lift + heel * 0.4 + sole / 2)], sole, shade)
    pen.line([(0.12, lift + heel * 0.4 + sole / 2), (back, lift + sole / 2)], sole, shade)
    if heel > 0:
        width = rng.uniform(0.05, 0.22)
        pen.patch([(back - 0.2, lift), (back + 0.01, lift), (back, floor), (back - width, floor)], shade)
    style = rng.random()
    if style < 0.35:
        for lace in range(int(rng.integers(3, 6))):
            y = floor - ankle * 0.8 - 0.08 * lace
            x = -0.14 + 0.04 * lace
            pen.line([(x, y), (x + 0.1, y + 0.03)], 0.015, rng.uniform(0.2, 0.9))
    elif style < 0.55:
        x = (front + back) / 2
        pen.patch(
            [(x - 0.06, top), (x + 0.06, top), (x + 0.03, floor - ankle * 0.6), (x - 0.03, floor - ankle * 0.6)],
            rng.uniform(0.2, 0.7),
        )
    elif style < 0.75:
        y = floor - ankle - rng.uniform(0.0, 0.15)
        pen.line([(front, y), (back, y)], 0.03, rng.uniform(0.2, 0.8))
    if rng.random() < 0.3:
        pen.line([(front, top + 0.02), (back, top + 0.02)], 0.04, rng.uniform(0.4, 0.9))


_GARMENTS: tuple[Callable[[_Pen, Generator], None], ...] = (
    _t_shirt, _trouser, _pullover, _dress, _coat, _sandal, _shirt, _sneaker, _bag, _ankle_boot,
)  # fmt: skip
_PRINTED = (0.3, 0.15, 0.3, 0.35, 0.15, 0.1, 0.5, 0.12, 0.25, 0.12)  # how often each class's cloth is patterned
