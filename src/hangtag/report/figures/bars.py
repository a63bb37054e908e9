"""Horizontal bars: one per thing, its name at the left and its number at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from markupsafe import Markup

from hangtag.report.figures.svg import Scale, figure, tag, text

WIDTH = 760
_RIGHT, _TOP, _BOTTOM = 60, 34, 8
_ROW, _THICK = 30, 16
_LETTER = 6.6  # a letter's width, at 11.5 px
_NAME = 34  # letters of a name


def bars(title: str, values: Mapping[str, float], shown: Callable[[float], str]) -> Markup:
    """Bars that begin at 0.

    Args:
        title: what is drawn, with its unit.
        values: a number of 0 or more for each name, drawn in their order.
        shown: a number as text.
    """
    names = [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name in values]
    left = 14 + _LETTER * max(map(len, names), default=0)
    x = Scale(0.0, max(values.values(), default=0.0) or 1.0, left, WIDTH - _RIGHT)
    parts = [text(0, 13, title, "title")]
    height = _TOP + _ROW * len(values) + _BOTTOM
    for i, (name, value) in enumerate(zip(names, values.values(), strict=True)):
        middle = _TOP + _ROW * (i + 0.5)
        end = x(value)
        parts.append(text(left - 10, middle + 4, name, "strong", "end"))
        parts.append(tag("rect", x=left, y=middle - _THICK / 2, width=end - left, height=_THICK, rx=2, class_="bar"))
        parts.append(text(end + 7, middle + 4, shown(value)))
    parts.append(tag("line", x1=left, x2=left, y1=_TOP, y2=height - _BOTTOM, class_="axis"))
    said = "; ".join(f"{name} {shown(value)}" for name, value in values.items())
    return figure(WIDTH, height, f"{title}: {said}", *parts)
