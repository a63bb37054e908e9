"""An evaluation as a person sees it: in a terminal, as plain text, in a notebook."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING

from rich.color import Color
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from hangtag.core.card import standing_text
from hangtag.core.printable import printable

if TYPE_CHECKING:
    from hangtag.evaluation.evaluation import Evaluation

_RGB = tuple[int, int, int]
_PALE: dict[bool, _RGB] = {True: (221, 240, 226), False: (254, 232, 214)}  # right: green; wrong: orange
_DEEP: dict[bool, _RGB] = {True: (22, 120, 72), False: (196, 55, 20)}
_LEAST_COLUMN = 4  # four figures; narrower columns could not be read
_HEADING_LINES = 3  # of a column: "Ankle boot" is two lines
_BAR = 24
_FAINT = 0.01  # a smaller share of a class's pictures is shown without colour


class Screen:
    """Terminal view, fitted to the width there is."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        evaluation = self.evaluation
        yield _headline(evaluation)
        yield Padding(_per_class(evaluation), (1, 0, 0, 2))
        yield Padding(_confusion(evaluation, options.max_width - 2), (1, 0, 0, 2))
        yield Padding(_words(evaluation), (1, 0, 0, 2))


def to_text(evaluation: Evaluation) -> str:
    """The terminal view without colour, 100 columns wide."""
    console = Console(file=io.StringIO(), width=100, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(Screen(evaluation))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def to_html(evaluation: Evaluation) -> str:
    """The notebook view. Every name in it is escaped."""
    low, high = evaluation.accuracy_interval
    names = [html.escape(printable(name)) for name in evaluation.class_names]
    per_class = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td>{row['precision']:.1%}</td><td>{row['recall']:.1%}</td>"
        f"<td>{row['f1']:.1%}</td><td>{row['support']:,}</td></tr>"
        for name, row in zip(names, evaluation.per_class, strict=True)
    )
    matrix = ""
    for i, (name, row) in enumerate(zip(names, evaluation.confusion.tolist(), strict=True)):
        cells = ""
        for j, count in enumerate(row):
            paper, ink = _heat(count, sum(row), i == j)
            style = f" style='background:rgb{paper};color:rgb{ink}'" if count else ""
            cells += f"<td{style}>{count or '·'}</td>"
        matrix += f"<tr><th style='text-align:left'>{name}</th>{cells}</tr>"
    return (
        f"<div><p><b>{html.escape(printable(evaluation.name))}</b> on {html.escape(printable(evaluation.data))}: "
        f"<b>{evaluation.accuracy:.2%}</b> of {evaluation.n:,} pictures right "
        f"(95% interval {low:.2%} to {high:.2%}), loss {evaluation.loss:.4f}, "
        f"macro precision {evaluation.precision:.2%}, recall {evaluation.recall:.2%}, F1 {evaluation.f1:.2%}</p>"
        f"<table><thead><tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>pictures</th></tr></thead>"
        f"<tbody>{per_class}</tbody></table>"
        f"<table><thead><tr><th>true ↓ &nbsp; taken for →</th>{''.join(f'<th>{name}</th>' for name in names)}</tr>"
        f"</thead><tbody>{matrix}</tbody></table></div>"
    )


def _headline(evaluation: Evaluation) -> Group:
    low, high = evaluation.accuracy_interval
    title = Text.assemble(
        "\n  ", (printable(evaluation.name), "bold"), (f"  on {printable(evaluation.data)}, ", "dim"),
        (f"{evaluation.n:,} picture{'s' if evaluation.n > 1 else ''}", "dim"), "\n",
    )  # fmt: skip
    if evaluation.standing:
        title.append(f"  {printable(standing_text(evaluation.standing))}\n", "yellow")
    numbers = Table.grid(padding=(0, 3, 0, 0))
    numbers.add_row(
        Text(f"{evaluation.accuracy:.2%}", style="bold green"), f"{evaluation.loss:.4f}", f"{evaluation.precision:.2%}",
        f"{evaluation.recall:.2%}", f"{evaluation.f1:.2%}", f"{evaluation.scores['ece']:.4f}",
    )  # fmt: skip
    faces = ("accuracy", "loss", "precision", "recall", "F1", "calibration error")
    numbers.add_row(*(Text(face, style="dim") for face in faces))
    numbers.add_row(Text(f"{low:.2%} – {high:.2%}", style="dim"), Text("nats", style="dim"), Text("macro", style="dim"))
    return Group(title, Padding(numbers, (0, 0, 0, 2)))


def _per_class(evaluation: Evaluation) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("class", no_wrap=True, overflow="ellipsis", max_width=24)
    for heading in ("precision", "recall"):
        table.add_column(heading, justify="right")
    table.add_column("F1", justify="right")
    table.add_column("", no_wrap=True, width=_BAR)
    table.add_column("pictures", justify="right")
    for row in evaluation.per_class:
        f1 = row["f1"]
        table.add_row(
            Text(printable(row["label"]), style="bold"), f"{row['precision']:.1%}", f"{row['recall']:.1%}",
            f"{f1:.1%}", _bar(f1), Text(f"{row['support']:,}", style="dim"),
        )  # fmt: skip
    return table


def _confusion(evaluation: Evaluation, width: int) -> Table | Text:
    names = [printable(name) for name in evaluation.class_names]
    side = min(max(map(len, [*names, "true ↓"])), 18)
    widest = max(map(len, [*names, f"{evaluation.confusion.max()}"]))
    column = min(widest, (width - side - 2) // len(names) - 1)
    if column < max(_LEAST_COLUMN, len(f"{evaluation.confusion.max()}")):
        return Text("The confusion matrix is wider than this window; --json has it whole.", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column(Text("true ↓", style="dim"), width=side, no_wrap=True, overflow="ellipsis")
    for name in names:
        table.add_column(_folded(name, column), width=column, justify="right", no_wrap=True, vertical="bottom")
    for i, row in enumerate(evaluation.confusion.tolist()):
        cells = []
        for j, count in enumerate(row):
            style = Style(dim=True)
            if count and (i == j or count / sum(row) >= _FAINT):
                paper, ink = _heat(count, sum(row), i == j)
                style = Style(color=Color.from_rgb(*ink), bgcolor=Color.from_rgb(*paper), bold=i == j)
            cells.append(Text((f"{count}" if count else "·").rjust(column), style=style))
        table.add_row(Text(_cropped(names[i], side), style="bold"), *cells)
    return table


def _words(evaluation: Evaluation) -> Text:
    found = evaluation.confusions()
    if not found:
        return Text("No picture was taken for another class.", style="green")
    lines = [Text("Most often mistaken", style="dim")]
    for true, taken, count, of in found:
        names = (printable(true), "bold"), " taken for ", (printable(taken), "bold")
        lines.append(Text.assemble(*names, f"  {count:,} of {of:,}  ", (f"{count / of:.1%}", "yellow")))
    return Text("\n").join(lines)


def _heat(count: int, of: int, right: bool) -> tuple[_RGB, _RGB]:
    """Background and text colour of a cell; the square root lets one mistake in a hundred still be seen."""
    share = (count / of) ** (1.0 if right else 0.5) if of else 0.0
    pale, deep = _PALE[right], _DEEP[right]
    paper = tuple(round(a + (b - a) * share) for a, b in zip(pale, deep, strict=True))
    bright = 0.299 * paper[0] + 0.587 * paper[1] + 0.114 * paper[2]
    ink = (20, 20, 20) if bright > 140 else (255, 255, 255)
    return (paper[0], paper[1], paper[2]), ink


def _bar(share: float) -> Text:
    halves = round(share * _BAR * 2)
    return Text("━" * (halves // 2) + ("╸" if halves % 2 else ""), style=_shade(share))


def _shade(share: float) -> str:
    return "green" if share >= 0.9 else "yellow" if share >= 0.75 else "red"


def _folded(name: str, width: int) -> str:
    """A name on lines of at most `width`; a word that is too long is cut in equal parts: "Pull", "over"."""
    lines = []
    for word in [name] if len(name) <= width else name.split():
        part = -(-len(word) // -(-len(word) // width))
        lines += [word[i : i + part] for i in range(0, len(word), part)]
    if len(lines) > _HEADING_LINES:
        lines = [*lines[: _HEADING_LINES - 1], _cropped("".join(lines[_HEADING_LINES - 1 :]), width)]
    return "\n".join(lines)


def _cropped(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"
