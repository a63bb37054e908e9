"""Accuracy against the number of labels, on a logarithmic axis: one line per way of learning, with 95% intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hangtag.report.figures.svg import Scale, figure, polyline, tag, text, ticks

WIDTH, HEIGHT = 760, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 190, 30, 44
_APART = 15  # between two names at the lines' ends


@dataclass(frozen=True)
class Line:
    """One way of learning.

    Args:
        name: written at its end.
        points: labels of each class, accuracy, and the interval of that; in order of labels.
        style: "first", "second" or "faint".
    """

    name: str
    points: Sequence[tuple[int, float, tuple[float, float]]]
    style: str


def labels_chart(title: str, lines: Sequence[Line]) -> Markup:
    """Lines over labels of each class; lines without points are left out."""
    lines = [line for line in lines if line.points]
    labels = sorted({labels for line in lines for labels, _, _ in line.points})
    lows, highs = ([bounds[i] for line in lines for _, _, bounds in line.points] for i in (0, 1))
    low, high = max(0.0, min(lows) - 0.02), min(1.0, max(highs) + 0.02)
    x = Scale(math.log(labels[0]), math.log(labels[-1]), _LEFT + 12, WIDTH - _RIGHT)
    y = Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    parts = [text(0, 13, title, "title")]
    for tick in ticks(low, high, 6):
        parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(text(_LEFT - 7, y(tick) + 4, f"{tick:.0%}", anchor="end"))
    for number in labels:
        parts.append(text(x(math.log(number)), HEIGHT - _BOTTOM + 17, f"{number:,}", anchor="middle"))
    floor = HEIGHT - _BOTTOM
    parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=floor, y2=floor, class_="axis"))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, "labels of each class", anchor="middle"))
    for line in lines:
        parts.append(polyline([(x(math.log(n)), y(a)) for n, a, _ in line.points], f"line {line.style}"))
        for number, accuracy, (least, most) in line.points:
            place = x(math.log(number))
            told = (
                f"{line.name}, {number:,} labels of each class: {accuracy:.1%}, 95% interval {least:.1%} to {most:.1%}"
            )
            bar = tag("line", x1=place, x2=place, y1=y(least), y2=y(most), class_="whisker")
            dot = tag("circle", cx=place, cy=y(accuracy), r=4.5, class_=f"spot {line.style}")
            parts.append(tag("g", bar, dot, class_="point", data_tip=told))
    for line, place in zip(lines, _apart([y(line.points[-1][1]) for line in lines]), strict=True):
        parts.append(text(x(math.log(line.points[-1][0])) + 12, place + 4, line.name, "strong"))
    ends = "; ".join(f"{line.name} {line.points[0][1]:.1%} to {line.points[-1][1]:.1%}" for line in lines)
    said = f"{title} from {labels[0]:,} to {labels[-1]:,} labels of each class: {ends}"
    return figure(WIDTH, HEIGHT, said, *parts)


def _apart(places: Sequence[float]) -> list[float]:
    """The same places, moved down where two names would overlap."""
    moved = list(places)
    lowest = -math.inf
    for i in sorted(range(len(places)), key=lambda i: places[i]):
        moved[i] = max(places[i], lowest + _APART)
        lowest = moved[i]
    return moved
