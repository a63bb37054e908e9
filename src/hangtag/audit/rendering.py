"""An audit in a terminal: how much was found, and the worst of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hangtag.core.printable import printable

if TYPE_CHECKING:
    from hangtag.audit.audit import Audit

_WORST = 5  # of each kind


def to_screen(audit: Audit) -> RenderableType:
    """Counts, then the worst of each kind."""
    title = Text.assemble("\n  ", _safe(audit.name, "bold"), "  ")
    title.append(", ".join(f"{len(half):,} {split}" for split, half in audit.splits.items()) + " pictures\n", "dim")
    parts: list[RenderableType] = [title, Padding(_counts(audit), (0, 0, 1, 2))]
    if any(audit.label_errors.values()):
        table = _table("label errors, the surest", "label", "suggested", "chance of the label")
        worst = [(error, split) for split, errors in audit.label_errors.items() for error in errors]
        for error, split in sorted(worst, key=lambda item: item[0].score)[:_WORST]:
            names = audit.splits[split].class_names
            given, suggested = _safe(names[error.given]), _safe(names[error.suggested], "green")
            table.add_row(split, _name(audit, split, error.index), given, suggested, f"{error.score:.2%}")
        parts.append(Padding(table, (0, 0, 1, 2)))
    if any(audit.near_duplicates.values()):
        table = _table("near-duplicates, the closest", "and", "labels", "relation")
        worst_pairs = [(pair, between) for between, pairs in audit.near_duplicates.items() for pair in pairs]
        for pair, (first, second) in sorted(worst_pairs, key=lambda item: item[0].distance)[:_WORST]:
            one, two = audit.label(first, pair.first), audit.label(second, pair.second)
            labels = _safe(one) if one == two else _safe(f"{one} ≠ {two}", "red")
            where = _name(audit, second, pair.second)
            where.append("" if first == second else f"  {second}", "dim")
            table.add_row(first, _name(audit, first, pair.first), where, labels, pair.relation)
        parts.append(Padding(table, (0, 0, 1, 2)))
    if any(audit.odd_pictures.values()):
        table = _table("odd pictures, the oddest", "label", "why")
        oddest = sorted(
            (picture.score, split, picture.index, picture.reason)
            for split, pictures in audit.odd_pictures.items()
            for picture in pictures
        )
        for _, split, index, reason in oddest[:_WORST]:
            table.add_row(split, _name(audit, split, index), _safe(audit.label(split, index)), reason)
        parts.append(Padding(table, (0, 0, 1, 2)))
    return Group(*parts, Text())


def _counts(audit: Audit) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("")
    for split in audit.splits:
        table.add_column(split, justify="right")
    if len(audit.splits) > 1:
        table.add_column("across", justify="right")
    across = [len(pairs) for (first, second), pairs in audit.near_duplicates.items() if first != second]
    table.add_row(
        Text("label errors", "bold"),
        *(
            f"{len(audit.label_errors[split]):,}" if split in audit.label_errors else "not judged"
            for split in audit.splits
        ),
    )
    table.add_row(
        Text("near-duplicate pairs", "bold"),
        *(f"{len(audit.near_duplicates[split, split]):,}" for split in audit.splits),
        *(Text(f"{count:,}", "yellow" if count else "") for count in across),
    )
    table.add_row(Text("odd pictures", "bold"), *(f"{len(audit.odd_pictures[split]):,}" for split in audit.splits))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim", title=title)
    table.title_style, table.title_justify = "bold", "left"
    for column in ("split", "picture", *columns):
        table.add_column(column, overflow="fold")
    return table


def _name(audit: Audit, split: str, index: int) -> Text:
    return _safe(audit.place(split, index), "cyan")


def _safe(text: str, style: str = "") -> Text:
    """No markup, nothing a terminal would obey."""
    return Text(printable(text), style)
