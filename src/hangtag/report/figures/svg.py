"""Elements of SVG as safe text, and scales from numbers to places."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from hangtag.core.printable import printable

_HERE = Path(__file__).parent
_MARGIN = 14  # round a figure that stands alone


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """`<name a="b">children</name>`; children that are not Markup are escaped. `class_` is class, `a_b` is a-b."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_shown(_short(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(_shown(child))) for child in children)
    return Markup(f"<{name}{given}>{inner}</{name}>")


def text(x: float, y: float, content: str, class_: str = "label", anchor: str = "start") -> Markup:
    """A line of text that starts, ends or is centred at (x, y)."""
    return tag("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def figure(width: float, height: float, description: str, *children: str) -> Markup:
    """A drawing that scales with the page; `description` is read out in its place."""
    return tag(
        "svg", *children, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=description, class_="figure"
    )  # fmt: skip


def standalone(drawing: Markup) -> str:
    """A `figure` as an SVG file of its own: the page's style inside it, in its light colours, on its own paper."""
    colours = (_HERE.parent / "page.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"--([a-z-]+): (?:light-dark\()?(.+?)(?:, #[0-9a-f]{6}\))?;", colours))
    rules = (_HERE / "figure.css").read_text(encoding="utf-8")
    style = re.sub(r"var\(--([a-z-]+)\)", lambda name: light[name[1]], rules)
    opening, _, rest = drawing.partition(">")
    _, box, others = opening.split('"', 2)
    width, height = (float(side) + 2 * _MARGIN for side in box.split()[2:])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="-{_MARGIN} -{_MARGIN} {width:g} {height:g}"{others}>'
        f'<style>{style}</style><rect x="-{_MARGIN}" y="-{_MARGIN}" width="100%" height="100%" fill="{light["card"]}"/>'
        f"{rest}\n"
    )


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` as places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of `value`; the middle if all numbers are one."""
        span = self.high - self.low
        share = 0.5 if span == 0 else (value - self.low) / span
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most about `most`."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def polyline(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through points."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_, fill="none")


def _shown(value: object) -> object:
    return printable(value) if type(value) is str else value


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
