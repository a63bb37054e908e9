"""A study as seen in a terminal: which run is on, how far it is, what ended how, and about how long all of it takes."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hangtag.cli._layout import is_lively
from hangtag.core.printable import printable
from hangtag.watch import clock

if TYPE_CHECKING:
    from rich.console import Console

    from hangtag.study.compare import Comparison, StudyWatch
    from hangtag.study.table import Column


@contextlib.contextmanager
def watched_study(title: str) -> Iterator[StudyWatch]:
    """What `compare` should tell; drawn on standard error, as plain lines where that is no terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn

    from hangtag.study.compare import StudyWatch

    console = Console(stderr=True, highlight=False)
    if not is_lively(console):
        yield _lines()
        return
    console.print(escape(printable(title)), style="bold")
    now: dict[str, Any] = {"what": "getting ready", "left_s": None, "eta_s": None}
    with Progress(BarColumn(bar_width=24), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("getting ready", total=None)

        def draw(detail: str, done: float | None = None, total: float | None = None) -> None:
            parts = [f"[bold]{escape(printable(now['what']))}[/]", escape(printable(detail))]
            if now["eta_s"] is not None and now["left_s"]:
                parts.append(f"[bold]{clock(now['eta_s'] + now['left_s'])}[/] left in all")
            bar.update(task, completed=done or 0, total=total, description=" · ".join(filter(None, parts)))

        def begins(what: str, number: int, of: int, left_s: float | None) -> None:
            now.update(what=f"{number}/{of} {what}", left_s=left_s, eta_s=None)
            draw("starting")

        def told(line: dict[str, Any]) -> None:
            if "step" in line:
                now["eta_s"] = line["eta_s"]
                draw(
                    f"epoch {line['epoch']}/{line['epochs']} · {clock(line['eta_s'])} left", line["step"], line["steps"]
                )
            elif "what" in line:
                draw(line["what"], line["done"], line["total"])
            else:
                draw(line["message"])

        def say(text: str, style: str = "dim") -> None:
            console.print(escape(printable(text)), style=style)

        def ended(line: str) -> None:
            say(line, "red" if ": failed, " in line else "")

        yield StudyWatch(message=say, begins=begins, told=told, ended=ended)


def _lines() -> StudyWatch:
    """A line as each run begins and as it ends."""
    from hangtag.study.compare import StudyWatch

    started = time.perf_counter()

    def say(text: str) -> None:
        print(printable(text), file=sys.stderr, flush=True)

    def begins(what: str, number: int, of: int, left_s: float | None) -> None:
        left = "" if left_s is None else f", about {clock(left_s)} for those after it"
        say(f"[{number}/{of}] {what}, after {clock(time.perf_counter() - started)}{left}")

    return StudyWatch(message=say, begins=begins, ended=lambda line: say(f"      {line}"))


def show_comparison(found: Comparison, console: Console | None = None) -> None:
    """The table, the sentences, and where the rest lies."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from hangtag.study.sentences import on_choosing, sentences
    from hangtag.study.table import columns, failures

    console = console or Console(highlight=False)
    kind = "test" if found.split == "test" else "validation"
    console.print(
        Text.assemble((f"\n  {printable(found.data)}", "bold"), (f", {found.pictures:,} {kind} pictures", "dim"))
    )
    every = columns(found)
    tables = [_table(found, every)]
    if console.measure(tables[0], options=console.options.update(max_width=10_000)).maximum > console.width - 2:
        parts = ("scores", "training", "answers")
        tables = [_table(found, [column for column in every if column.part == part]) for part in parts]
    for table in tables:
        console.print(Padding(table, (1, 0, 0, 2)))
    console.print()
    for row in found.rows:
        for line in failures(row):
            console.print(Text(f"  ✗ {printable(row.name)}, {printable(line)}", "red"))
        if row.first("remark"):
            console.print(Text(f"  {printable(row.name)} {printable(row.first('remark'))}", "dim"))
    for sentence in sentences(found):
        console.print(Text(f"  {printable(sentence)}"))
    console.print(Text(f"  {on_choosing(found)}", "dim"))
    console.print()
    console.print(Text(f"  {printable(found.folder / 'compare.html')}", "cyan"), soft_wrap=True)
    console.print(Text("  and .csv, .md, .json beside it", "dim"))


def _table(found: Comparison, shown: list[Column]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from hangtag.study.table import FIT, LETTERS

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("\n", overflow="fold", max_width=28)
    for column in shown:
        heading = "not told\napart" if column.heading == LETTERS else f"{column.heading}\n{column.unit}"
        table.add_column(heading, justify="left" if column.heading in (FIT, LETTERS) else "right", no_wrap=True)
    for row in found.rows:
        cells = []
        for column in shown:
            text = Text(column.shown(row)) if row.runs else Text("–", "dim")
            if column.heading == "accuracy" and row.runs:
                text.stylize("bold green")
            elif column.heading == FIT and row.runs:
                text.stylize("green" if text.plain == "good fit" else "yellow")
            elif column.heading == "time" and row.over_budget:
                text.stylize("yellow")
            cells.append(text)
        table.add_row(Text(printable(row.name), "bold" if row.runs else "red"), *cells)
    return table
