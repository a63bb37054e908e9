"""A set at a glance: some pictures of each class, and how many there are. As a PNG, or in a terminal's half blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hangtag.core.types import Pictures, Split

if TYPE_CHECKING:
    from rich.text import Text

PAPER, INK, FAINT, ACCENT = (250, 248, 244), (34, 32, 30), (140, 134, 126), (196, 78, 52)
_MOST_CLASSES = 200  # a sheet of more rows than this nobody reads
TILE, _GAP, _MARGIN, _NAMES, _HEAD = 84, 6, 36, 230, 76  # pixels


def examples(split: Split, label: int, count: int) -> NDArray[np.intp]:
    """Indices of up to `count` pictures of class `label`, spread evenly over the split."""
    members = np.flatnonzero(split.labels == label)
    return members[np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(np.intp)]


def contact_sheet(split: Split, title: str, per_class: int = 12) -> Image.Image:
    """An RGB picture: one row per class, with its name, its count as a number and a bar, and `per_class` pictures."""
    names = split.class_names[:_MOST_CLASSES]
    counts = [split.counts()[name] for name in names]
    row = TILE + _GAP * 2
    width = _MARGIN * 2 + _NAMES + per_class * (TILE + _GAP)
    sheet = Image.new("RGB", (width, _HEAD + _MARGIN * 2 + row * len(names)), PAPER)
    pen = ImageDraw.Draw(sheet)
    large, medium, small = (ImageFont.load_default(size) for size in (28, 20, 15))
    pen.text((_MARGIN, _MARGIN), shortened(title, large, width - 2 * _MARGIN), fill=INK, font=large)
    side = " by ".join(str(n) for n in split.images.shape[1:3])
    facts = f"{len(split):,} pictures of {side} in {len(split.class_names):,} classes"
    pen.text((_MARGIN, _MARGIN + 38), facts, fill=FAINT, font=small)
    for label, (name, count) in enumerate(zip(names, counts, strict=True)):
        top = _MARGIN + _HEAD + label * row
        pen.text((_MARGIN, top + 10), shortened(name, medium, _NAMES - 24), fill=INK, font=medium)
        pen.text((_MARGIN, top + 38), f"{count:,}", fill=FAINT, font=small)
        full = _NAMES - 30
        pen.rectangle((_MARGIN, top + 62, _MARGIN + full, top + 67), fill=(232, 227, 219))
        if count:
            long = max(2, round(full * count / max(counts)))
            pen.rectangle((_MARGIN, top + 62, _MARGIN + long, top + 67), fill=ACCENT)
        for place, index in enumerate(examples(split, label, per_class)):
            sheet.paste(tile(split.images[index]), (_MARGIN + _NAMES + place * (TILE + _GAP), top))
    return sheet


def half_blocks(picture: Pictures, columns: int) -> Text:
    """One picture as text, two pixels to a character: `columns` wide and half as many lines high."""
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    rows = columns + columns % 2
    small = Image.fromarray(picture).convert("RGB").resize((columns, rows), Image.Resampling.BOX)
    pixels = np.asarray(small)
    text = Text()
    for y in range(0, rows, 2):
        for upper, lower in zip(pixels[y].tolist(), pixels[y + 1].tolist(), strict=True):
            text.append("▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
        text.append("\n")
    return text


def bar(fraction: float, columns: int) -> str:
    """A horizontal bar of eighths of a character; anything above 0 shows."""
    eighths = max(round(fraction * columns * 8), 1) if fraction > 0 else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def tile(picture: Pictures) -> Image.Image:
    """One picture, (H, W) or (H, W, 3), as TILE pixels a side of RGB; pixels of small ones stay sharp."""
    image = Image.fromarray(picture).convert("RGB")
    enlarging = image.width < TILE
    return image.resize((TILE, TILE), Image.Resampling.NEAREST if enlarging else Image.Resampling.LANCZOS)


def shortened(text: str, font: Any, width: int) -> str:
    """`text` cut to `width` pixels of `font`, without what cannot be drawn."""
    shown = "".join(c if c.isprintable() else "�" for c in text)
    while len(shown) > 1 and font.getlength(shown) > width:
        shown = shown[:-2] + "…"
    return shown
