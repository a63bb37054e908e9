"""The worst findings as pictures: what to look at before anything is changed or removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from hangtag.audit.audit import Audit
from hangtag.core.types import Pictures
from hangtag.data.contact_sheet import ACCENT, FAINT, INK, PAPER, TILE, shortened, tile

MOST = 60  # cards on a sheet
_COLUMNS = 6
_GAP, _MARGIN, _HEAD, _LINE = 6, 36, 76, 19  # pixels


@dataclass(frozen=True)
class Card:
    """One finding: pictures beside each other, and lines of text in ink, accent or faint below them."""

    pictures: Sequence[Pictures]
    lines: Sequence[tuple[str, tuple[int, int, int]]]


def label_error_cards(audit: Audit) -> list[Card]:
    """Given and suggested label of each, the surest first."""
    worst = sorted(
        (error.score, split, error.index, error) for split, found in audit.label_errors.items() for error in found
    )
    cards = []
    for score, split, index, error in worst[:MOST]:
        half = audit.splits[split]
        lines = [
            (half.class_names[error.given], INK),
            (f"{half.class_names[error.suggested]}?", ACCENT),
            (f"{_place(audit, split, index)} · {score:.2%}", FAINT),
        ]
        cards.append(Card([half.images[index]], lines))
    return cards


def near_duplicate_cards(audit: Audit) -> list[Card]:
    """Both pictures of each pair: those across halves first, then the closest."""
    found = [
        (first == second, pair.distance, first, second, pair)
        for (first, second), pairs in audit.near_duplicates.items()
        for pair in pairs
    ]
    cards = []
    for _, distance, first, second, pair in sorted(found, key=lambda item: item[:4])[:MOST]:
        one, two = audit.label(first, pair.first), audit.label(second, pair.second)
        lines = [
            (one, INK) if one == two else (f"{one} / {two}", ACCENT),
            (f"{pair.relation} · {distance:.3f}", INK),
            (f"{_place(audit, first, pair.first)} · {_place(audit, second, pair.second, first)}", FAINT),
        ]
        cards.append(Card([audit.splits[first].images[pair.first], audit.splits[second].images[pair.second]], lines))
    return cards


def odd_picture_cards(audit: Audit) -> list[Card]:
    """Why each is odd, the oddest first."""
    oddest = sorted(
        (picture.score, split, picture.index, picture.reason)
        for split, found in audit.odd_pictures.items()
        for picture in found
    )
    return [
        Card(
            [audit.splits[split].images[index]],
            [(audit.label(split, index), INK), (reason, ACCENT), (_place(audit, split, index), FAINT)],
        )
        for _, split, index, reason in oddest[:MOST]
    ]


def gallery(cards: Sequence[Card], title: str, facts: str) -> Image.Image:
    """An RGB sheet of the cards, row by row."""
    across = max((len(card.pictures) for card in cards), default=1)
    wide = max(across * (TILE + _GAP), 2 * TILE - 8) + 2 * _GAP
    columns = _COLUMNS if across == 1 else _COLUMNS - 1
    high = TILE + 3 * _LINE + 4 * _GAP
    rows = -(-len(cards) // columns)
    sheet = Image.new("RGB", (2 * _MARGIN + columns * wide, 2 * _MARGIN + _HEAD + rows * high), PAPER)
    pen = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(28), ImageFont.load_default(15)
    pen.text((_MARGIN, _MARGIN), shortened(title, large, columns * wide), fill=INK, font=large)
    pen.text((_MARGIN, _MARGIN + 38), shortened(facts, small, columns * wide), fill=FAINT, font=small)
    for number, card in enumerate(cards):
        row, column = divmod(number, columns)
        left, top = _MARGIN + column * wide, _MARGIN + _HEAD + row * high
        for place, picture in enumerate(card.pictures):
            sheet.paste(tile(picture), (left + place * (TILE + _GAP), top))
        for line, (text, colour) in enumerate(card.lines):
            at = (left, top + TILE + _GAP + line * _LINE)
            pen.text(at, shortened(text, small, wide - 2 * _GAP), fill=colour, font=small)
    return sheet


def _place(audit: Audit, split: str, index: int, said: str = "") -> str:
    """Short enough for a card: a file's name or a number, after the half if there are two and it is not said yet."""
    place = audit.place(split, index).rpartition("/")[2]
    return f"{split} {place}" if len(audit.splits) > 1 and split != said else place
