"""What fits a terminal of any width: sentences wrap between words, paths and commands stay whole to be copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_BORDERS = 4  # columns of a panel's frame and padding
_GAP = 2


def is_lively(console: Console) -> bool:
    """Whether lines can be drawn over: not in a file, nor in a terminal that calls itself dumb."""
    return console.is_terminal and not console.is_dumb_terminal


def has_colours(console: Console) -> bool:
    """Whether colours show: not with NO_COLOR either."""
    return console.is_terminal and console.color_system is not None and not console.no_color


def show_rows(console: Console, rows: Iterable[Sequence[Text]]) -> None:
    """Rows in columns; the last one wraps between words. A row with a word too long for it stands on a line of its own.

    Args:
        console: where.
        rows: of equal length.
    """
    from rich.text import Text

    cells = [list(row) for row in rows]
    widths = [max(row[i].cell_len for row in cells) + _GAP for i in range(len(cells[0]) - 1)] if cells else []
    room = console.width - sum(widths)
    for *leading, last in cells:
        start = Text()
        for cell, width in zip(leading, widths, strict=True):
            start.append_text(cell).append(" " * (width - cell.cell_len))
        if _longest_word(last) > room:
            console.print(start.append_text(last), soft_wrap=True)
            continue
        for line in last.wrap(console, room):
            line.rstrip()
            console.print(start.append_text(line), soft_wrap=True)
            start = Text(" " * sum(widths))


def show_panel(console: Console, title: str, rows: Sequence[tuple[str, Text]]) -> None:
    """A frame with a title and rows of name and value; rows with a word too long for it stand whole below it."""
    from rich.panel import Panel
    from rich.table import Table

    names = max(len(name) for name, _ in rows)
    room = console.width - _BORDERS - names - _GAP
    table = Table.grid(padding=(0, _GAP))
    below: list[tuple[str, Text]] = []
    table.add_column(style="dim", justify="right", no_wrap=True)
    table.add_column()
    for name, value in rows:
        if any(_longest_word(line) > room for line in value.split()) or _is_command(value, room):
            below.append((name, value))
        else:
            table.add_row(name, value)
    if table.row_count:
        console.print(Panel(table, title=title, title_align="left", border_style="dim", expand=False))
    for name, value in below:
        console.print(f"  {name}", style="dim")
        for line in value.split():
            console.print(line, soft_wrap=True)


def _is_command(value: Text, room: int) -> bool:
    """Whether it is a command, which is copied as one line, and too long to be one here."""
    return any(line.plain.startswith("hangtag ") and line.cell_len > room for line in value.split())


def _longest_word(text: Text) -> int:
    return max((word.cell_len for word in text.split(" ")), default=0)
