"""A transfer study on the command line: how its lists are read, and its table in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hangtag.core.errors import HangtagError
from hangtag.core.printable import printable
from hangtag.core.typed import words
from hangtag.watch import clock

if TYPE_CHECKING:
    from rich.console import Console

    from hangtag.study.transfer import Stage, Transfer


def numbers(text: str) -> tuple[int, ...]:
    """The whole numbers above 0 between commas, each once.

    Raises:
        HangtagError: `usage_value`.
    """
    found = words(text)
    for word in found:
        if not word.isdecimal() or not 0 < int(word) < 10**9:
            raise HangtagError("usage_value", f"--few wants numbers of labels such as 10,100, not {word!r}")
    return tuple(sorted({int(word) for word in found}))


def show(found: Transfer, console: Console | None = None) -> None:
    """The table, the confusion matrix of the frozen stage, and where the rest lies."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from hangtag.study.transfer import SAID
    from hangtag.study.transfer_page import PAGE, sentences

    console = console or Console(highlight=False)
    before = ", ".join(found.learnt) if found.learnt else (found.start or "")
    after = ", ".join(found.new)
    title = Text.assemble(("\n  ", ""), (printable(before), "bold"), ("  →  ", "dim"), (printable(after), "bold"))
    console.print(title)
    console.print(Padding(_table(found), (1, 0, 0, 2)))
    for stage in (*found.stages, *found.few):
        if stage.failed:
            few = f", {stage.few:,} labels of each class" if stage.few else ""
            console.print(Text(f"  ✗ {SAID[stage.name]}{few}: {printable(stage.failed['message'])}", "red"))
    if found.few:
        console.print(Padding(_few(found), (1, 0, 0, 2)))
    console.print()
    for sentence in sentences(found):
        console.print(Text(f"  {printable(sentence)}"))
    console.print("\n  The confusion matrices are in", style="dim")
    console.print(Text(f"  {printable(found.folder / PAGE)}", "cyan"), soft_wrap=True)


def _table(found: Transfer) -> Any:
    """Two lines for each stage, so that the table fits 80 columns."""
    from rich.table import Table
    from rich.text import Text

    from hangtag.study.transfer import SAID

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for heading in ("", "", "accuracy", "loss", "precision", "recall", "time", "fit"):
        table.add_column(heading, justify="left" if heading in ("", "fit") else "right", no_wrap=heading != "fit")
    for stage in found.stages:
        name = Text(SAID[stage.name], "bold")
        if stage.failed:
            table.add_row(name, Text("failed", "red"))
            continue
        told = stage.numbers
        fit = Text(told["fit"], "green" if told["fit"] == "good fit" else "yellow")
        for part, before in (("test", ""), ("val.", "val_")):
            accuracy = told["val_accuracy" if before else "test_accuracy"]
            loss = told["val_loss" if before else "test_loss"]
            numbers = (f"{loss:.4f}", f"{told[f'{before}precision']:.2%}", f"{told[f'{before}recall']:.2%}")
            if before:
                table.add_row("", *(Text(cell, "dim") for cell in (part, f"{accuracy:.2%}", *numbers)))
            else:
                table.add_row(name, part, Text(f"{accuracy:.2%}", "bold green"), *numbers, clock(told["seconds"]), fit)
    return table


def _few(found: Transfer) -> Any:
    from rich.table import Table
    from rich.text import Text

    from hangtag.study.transfer import KINDS, SAID

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("labels of each class", justify="right")
    for kind in KINDS:
        table.add_column(SAID[kind], justify="right")
    for few in sorted({stage.few for stage in found.few if stage.few}):
        of = {stage.name: stage for stage in found.few if stage.few == few}
        table.add_row(f"{few:,}", *(Text(_accuracy(of.get(kind))) for kind in KINDS))
    return table


def _accuracy(stage: Stage | None) -> str:
    return "failed" if stage is None or stage.failed else f"{stage.numbers['test_accuracy']:.2%}"
