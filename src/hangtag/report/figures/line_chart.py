"""A line chart over epochs: one line per series, told apart by colour, dashes and a name at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hangtag.report.figures.svg import Scale, figure, polyline, tag, text, ticks

WIDTH, HEIGHT = 380, 232
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 30, 36


@dataclass(frozen=True)
class Series:
    """One line.

    Args:
        name: shown in the legend.
        values: one per epoch; None where there is none.
        style: "first" or "second".
    """

    name: str
    values: Sequence[float | None]
    style: str


def line_chart(
    title: str,
    series: Sequence[Series],
    epochs: Sequence[int],
    shown: Callable[[float], str],
    best: int | None = None,
    from_zero: bool = False,
) -> Markup:
    """Lines over epochs.

    Args:
        title: what is drawn, with its unit.
        series: one or two lines.
        epochs: their numbers, from 1.
        shown: a value as text.
        best: the epoch to mark.
        from_zero: the axis starts at 0.
    """
    known = [value for line in series for value in line.values if value is not None]
    low, high = min(known), max(known)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low, high = 0.0 if from_zero else max(0.0, low - room) if low >= 0 else low - room, high + room
    x = Scale(epochs[0], epochs[-1], _LEFT, WIDTH - _RIGHT)
    y = Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    parts = []
    for tick in ticks(low, high, 4):
        parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(text(_LEFT - 7, y(tick) + 4, shown(tick), anchor="end"))
    for tick in sorted({round(tick) for tick in ticks(epochs[0], epochs[-1], 6)} | {epochs[0]}):
        if epochs[0] <= tick <= epochs[-1] and not (tick != epochs[0] and x(tick) - x(epochs[0]) < 16):
            parts.append(text(x(tick), HEIGHT - _BOTTOM + 17, str(tick), anchor="middle"))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 3, "epoch", anchor="middle"))
    parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=HEIGHT - _BOTTOM, y2=HEIGHT - _BOTTOM, class_="axis"))
    if best is not None:
        side = -5 if x(best) > WIDTH * 0.6 else 5
        parts.append(tag("line", x1=x(best), x2=x(best), y1=_TOP, y2=HEIGHT - _BOTTOM, class_="mark"))
        there = [y(v) for line in series if (v := line.values[list(epochs).index(best)]) is not None]
        low_down = bool(there) and sum(there) / len(there) > (_TOP + HEIGHT - _BOTTOM) / 2
        place = _TOP + 10 if low_down else HEIGHT - _BOTTOM - 7  # away from the lines
        parts.append(text(x(best) + side, place, f"best epoch: {best}", "strong", "end" if side < 0 else "start"))
    parts.append(text(0, 13, title, "title"))
    right = float(WIDTH - _RIGHT)
    for line in reversed(series if len(series) > 1 else []):
        parts.append(text(right, 13, line.name, anchor="end"))
        right -= 6.2 * len(line.name) + 6
        parts.append(tag("line", x1=right - 20, x2=right, y1=9, y2=9, class_=f"line {line.style}"))
        right -= 32
    for line in series:
        points = [(x(e), y(v)) for e, v in zip(epochs, line.values, strict=True) if v is not None]
        if len(points) == 1:
            parts.append(tag("circle", cx=points[0][0], cy=points[0][1], r=3.5, class_=f"dot {line.style}"))
        parts.append(polyline(points, f"line {line.style}"))
    half = (x(epochs[1]) - x(epochs[0])) / 2 if len(epochs) > 1 else (WIDTH - _LEFT - _RIGHT) / 2
    for i, epoch in enumerate(epochs):
        values = [(line, line.values[i]) for line in series]
        told = ", ".join(f"{line.name} {shown(v)}" if line.name else shown(v) for line, v in values if v is not None)
        dots = [
            tag("circle", cx=x(epoch), cy=y(v), r=3.5, class_=f"dot {line.style}")
            for line, v in values
            if v is not None
        ]
        left, width = max(_LEFT, x(epoch) - half), 2 * half
        hit = tag("rect", x=left, y=_TOP, width=min(width, WIDTH - left), height=HEIGHT - _BOTTOM - _TOP, class_="hit")
        parts.append(tag("g", hit, *dots, class_="point", data_tip=f"epoch {epoch}: {told}"))
    ends = "; ".join(f"{line.name or title} {shown(last)}" for line in series if (last := line.values[-1]) is not None)
    return figure(WIDTH, HEIGHT, f"{title} over {len(epochs)} epochs; in the last: {ends}", *parts)
