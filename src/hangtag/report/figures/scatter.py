"""A scatter plot: one dot per thing, with bars for its spread, its area for a third number, and its name beside it.

Names are put where they cover least, tried in turn: right, left, above, below, then farther off with a line that leads
back. The front, if given, is the staircase no dot lies beyond.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup

from hangtag.report.figures.svg import Scale, figure, polyline, tag, text, ticks

WIDTH, HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 26, 50, 50
_LEAST, _MOST = 5.0, 17.0  # radius of a dot
_LETTER, _LINE = 6.9, 14.0  # a letter's width and a line's height, at 11.5 px
_NAME = 30  # letters of a name
_APART = 50  # between two numbers under the axis
_Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom
_Line: TypeAlias = tuple[float, float, float, float]  # from x, y to x, y
_MINUTE, _HOUR = 60, 3600
_TIMES = (
    *(factor * 10.0**power for power in (-3, -2, -1) for factor in (1, 2, 5)),
    *(1, 2, 5, 10, 20, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 20, 30)),
    *(n * _HOUR for n in (1, 2, 5, 10, 24, 48, 120, 240)),
)


@dataclass(frozen=True)
class Axis:
    """What an axis shows.

    Args:
        title: what is measured, with its unit if `shown` does not tell it.
        shown: a value as text.
        log: equal steps are equal factors; every value is then above 0.
        marks: where numbers may stand; round numbers if not given.
    """

    title: str
    shown: Callable[[float], str]
    log: bool = False
    marks: Sequence[float] = ()


@dataclass(frozen=True)
class Point:
    """One dot.

    Args:
        name: written beside it; empty for none.
        x, y: where it is.
        told: its numbers in words, for whoever points at it.
        x_bar, y_bar: from where to where its spread reaches, if it has one.
        size: a number above 0 its area is proportional to; None if it has none, drawn hollow.
        style: "first", "second" or "faint".
    """

    name: str
    x: float
    y: float
    told: str = ""
    x_bar: tuple[float, float] | None = None
    y_bar: tuple[float, float] | None = None
    size: float | None = None
    style: str = "first"


def seconds_axis(title: str) -> Axis:
    """A logarithmic axis of durations in seconds, numbered as people count time."""
    return Axis(title, _duration, log=True, marks=_TIMES)


def scatter(
    title: str,
    points: Sequence[Point],
    x_axis: Axis,
    y_axis: Axis,
    *,
    size_title: str = "",
    front: Sequence[int] = (),
) -> Markup:
    """Dots in a plane.

    Args:
        title: what is drawn.
        points: one or more.
        x_axis, y_axis: what the axes show.
        size_title: what the dots' area shows, told in a legend; empty for none.
        front: numbers of the points no other is better than, joined by a staircase.

    Raises:
        ValueError: for no points, or a value of 0 or less on a logarithmic axis.
    """
    if not points:
        raise ValueError("a scatter plot wants one point or more")
    x = _Place(x_axis, [v for p in points for v in (p.x, *(p.x_bar or ()))], _LEFT, WIDTH - _RIGHT)
    y = _Place(y_axis, [v for p in points for v in (p.y, *(p.y_bar or ()))], HEIGHT - _BOTTOM, _TOP)
    largest = max((p.size for p in points if p.size), default=1.0)
    radii = [_LEAST if not p.size else max(_LEAST, _MOST * math.sqrt(p.size / largest)) for p in points]
    parts = [*_axes(x, y), text(0, 13, title, "title")]
    if size_title and any(p.size for p in points):
        parts += _size_legend(size_title, largest)
    lines = [whisker for p in points for whisker in _whiskers(p, x, y)]
    parts += [tag("line", x1=a, y1=b, x2=c, y2=d, class_="whisker") for a, b, c, d in lines]
    if len(front) > 1:
        stairs = sorted((x(points[i].x), y(points[i].y)) for i in front)
        corners = [
            corner for (x0, y0), (x1, y1) in itertools.pairwise(stairs) for corner in ((x0, y0), (x1, y0), (x1, y1))
        ]
        parts.append(polyline(corners, "front"))
        lines += [(*one, *two) for one, two in itertools.pairwise(corners)]
    for i in sorted(range(len(points)), key=lambda i: -radii[i]):  # small dots stay on top
        p = points[i]
        kind = f"spot {p.style}" + ("" if p.size or not size_title else " hollow")
        dot = tag("circle", cx=x(p.x), cy=y(p.y), r=radii[i], class_=kind)
        told = f"{p.name}: {p.told}" if p.name and p.told else p.told or p.name
        parts.append(tag("g", dot, class_="point", data_tip=told or None))
    parts += _names(points, [(x(p.x), y(p.y)) for p in points], radii, lines)
    said = "; ".join(f"{p.name} {x_axis.shown(p.x)}, {y_axis.shown(p.y)}" for p in points if p.name)
    return figure(WIDTH, HEIGHT, f"{title}. {said}", *parts)


class _Place:
    """Values of an axis as places, with a little room at both ends."""

    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float) -> None:
        if axis.log and min(values) <= 0:
            raise ValueError(f"a logarithmic axis wants values above 0, not {min(values)}")
        self.axis = axis
        low, high = self._on(min(values)), self._on(max(values))
        room = (high - low) * 0.08 or (0.3 if axis.log else abs(high) * 0.05 or 1.0)
        self._scale = Scale(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        return self._scale(self._on(value))

    def _on(self, value: float) -> float:
        return math.log10(value) if self.axis.log else value

    def ticks(self, apart: float) -> list[float]:
        """Values to number, at least `apart` places from one another."""
        low, high = self._scale.low, self._scale.high
        if self.axis.marks:
            wanted = list(self.axis.marks)
        elif self.axis.log:
            powers = range(math.floor(low) - 1, math.ceil(high) + 1)
            wanted = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        else:
            wanted = ticks(low, high, 8)
        kept: list[float] = []
        for value in wanted:
            if low <= self._on(value) <= high and (not kept or abs(self(value) - self(kept[-1])) >= apart):
                kept.append(value)
        return kept


def _axes(x: _Place, y: _Place) -> list[Markup]:
    parts = []
    floor, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    for value in y.ticks(24):
        parts.append(tag("line", x1=_LEFT, x2=right, y1=y(value), y2=y(value), class_="grid"))
        parts.append(text(_LEFT - 8, y(value) + 4, y.axis.shown(value), anchor="end"))
    for value in x.ticks(_APART):
        parts.append(tag("line", x1=x(value), x2=x(value), y1=_TOP, y2=floor, class_="grid"))
        parts.append(text(x(value), floor + 18, x.axis.shown(value), anchor="middle"))
    parts.append(tag("line", x1=_LEFT, x2=right, y1=floor, y2=floor, class_="axis"))
    parts.append(text(_LEFT, _TOP - 9, y.axis.title))
    parts.append(text(right, HEIGHT - 8, x.axis.title + (" (logarithmic)" if x.axis.log else ""), anchor="end"))
    return parts


def _size_legend(title: str, largest: float) -> list[Markup]:
    """At the top right: what the largest dot stands for, and a tenth of it."""
    parts, right = [], float(WIDTH - _RIGHT)
    for size in (largest, largest / 10):
        told = _short(size)
        parts.append(text(right, 21, told, anchor="end"))
        radius = max(_LEAST, _MOST * math.sqrt(size / largest))
        right -= _LETTER * len(told) + 5 + radius
        parts.append(tag("circle", cx=right, cy=17, r=radius, class_="spot faint"))
        right -= radius + 10
    return [*parts, text(right, 21, title, anchor="end")]


def _whiskers(p: Point, x: _Place, y: _Place) -> list[_Line]:
    found = []
    if p.y_bar:
        found.append((x(p.x), y(p.y_bar[0]), x(p.x), y(p.y_bar[1])))
    if p.x_bar:
        found.append((x(p.x_bar[0]), y(p.y), x(p.x_bar[1]), y(p.y)))
    return found


def _names(
    points: Sequence[Point],
    places: Sequence[tuple[float, float]],
    radii: Sequence[float],
    lines: Sequence[_Line],
) -> list[Markup]:
    """Each name where it covers least of dots, lines and the names before it."""
    taken: list[_Box] = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, radii, strict=True)]
    taken += [(min(a, c) - 1, min(b, d) - 1, max(a, c) + 1, max(b, d) + 1) for a, b, c, d in lines]
    parts = []
    for p, (x, y), radius in zip(points, places, radii, strict=True):
        if not p.name:
            continue
        name = p.name if len(p.name) <= _NAME else p.name[: _NAME - 1] + "…"
        width = _LETTER * len(name)
        best: tuple[float, _Box, float] | None = None
        for order, (dx, dy, far) in enumerate(_SIDES):
            gap = radius + 4 + far
            left = x + gap if dx > 0 else x - gap - width if dx < 0 else x - width / 2
            top = y - _LINE / 2 + dy * (gap + _LINE / 2)
            box = (left, top, left + width, top + _LINE)
            cost = sum(_overlap(box, other) for other in taken) + 3 * _outside(box) + order
            if best is None or cost < best[0]:
                best = (cost, box, far)
        assert best is not None
        _, box, far = best
        taken.append(box)
        if far:
            end = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
            parts.append(tag("line", x1=x, y1=y, x2=end[0], y2=end[1], class_="leader"))
        parts.append(text(box[0], box[3] - 3.5, name, "strong name"))
    return parts


_SIDES: list[tuple[int, int, float]] = [
    *[(1, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 1, 0)],
    *[(dx, dy, 0) for dx in (1, -1) for dy in (-1, 1)],
    *[(dx, dy, far) for far in (14, 28, 44) for dx, dy in ((1, -1), (-1, -1), (1, 1), (-1, 1), (0, -1), (0, 1))],
]


def _overlap(one: _Box, two: _Box) -> float:
    across = min(one[2], two[2]) - max(one[0], two[0])
    down = min(one[3], two[3]) - max(one[1], two[1])
    return across * down if across > 0 and down > 0 else 0.0


def _outside(box: _Box) -> float:
    """How much of a box lies outside the frame of the axes."""
    frame = (float(_LEFT), float(_TOP), float(WIDTH), float(HEIGHT - _BOTTOM))
    return (box[2] - box[0]) * (box[3] - box[1]) - _overlap(box, frame)


def _short(number: float) -> str:
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.2g}{letter}" if number < 100 * unit else f"{number / unit:.0f}{letter}"
    return f"{number:.3g}"


def _duration(seconds: float) -> str:
    """0.2 -> 200 ms; 20 -> 20 s; 120 -> 2 min; 7200 -> 2 h."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.3g} min"
    return f"{seconds / _HOUR:.3g} h"
