"""A run as seen in a terminal: one line per finished epoch, and a bar with speed, loss and time left below them."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hangtag.cli._layout import is_lively, show_panel
from hangtag.watch import HEADER, Watch, clock, epoch_line, lines

if TYPE_CHECKING:
    from rich.console import Console

    from hangtag.experiment import Run
    from hangtag.training.loop import Progress

_REFRESH_S = 0.1  # drawing at every step of a small network would cost more than the step


@contextlib.contextmanager
def watched(title: str) -> Iterator[Watch]:
    """What `experiment.run` should tell; drawn on standard error, as plain lines where that is no terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    from hangtag.core.printable import printable

    console = Console(stderr=True, highlight=False)
    if not is_lively(console):
        yield lines()
        return
    console.print(escape(printable(title)), style="bold")
    columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
    drawn_at = 0.0
    header = [True]
    with Bars(*columns, console=console, transient=True) as bar:
        task = bar.add_task("getting ready", total=None)

        def progress(now: Progress) -> None:
            nonlocal drawn_at
            if now.epoch_ended and now.last:
                if header:
                    header.clear()
                    console.print(HEADER, style="dim")
                console.print(epoch_line(now.last, "green"))
            if now.epoch_ended or time.perf_counter() - drawn_at > _REFRESH_S:
                drawn_at = time.perf_counter()
                text = (
                    f"epoch {now.epoch}/{now.epochs} · loss {now.loss:.3f} · {now.images_per_s:,.0f} pictures/s"
                    f" · [bold]{clock(now.eta_s)}[/] left"
                )
                bar.update(task, completed=now.step, total=now.steps, description=text)

        def message(text: str) -> None:
            bar.update(task, description=escape(printable(text)), completed=0, total=None)
            console.print(escape(printable(text)), style="dim")

        def reading(what: str, done: int, total: int) -> None:
            if done < total:
                bar.update(task, completed=done, total=total, description=escape(printable(what)))
            else:
                bar.update(task, completed=0, total=None, description="getting ready")

        yield Watch(message=message, reading=reading, progress=progress)


def show_result(run: Run, name: str, console: Console, data: str | None = None) -> None:
    """What came out, and what to do with it."""
    from rich.markup import escape
    from rich.text import Text

    from hangtag.core.printable import printable

    rows = [
        (key, Text(printable(value), "bold green" if key == "validation accuracy" else ""))
        for key, value in run.facts().items()
    ]
    if run.bundle is not None:
        bundle, place = shlex.quote(run.bundle), f" --data {shlex.quote(data)}" if data else ""
        steps = (f"hangtag evaluate {bundle}{place}", f"hangtag recognise -m {bundle} photo.jpg")
        rows.append(("next", Text("\n".join(map(printable, steps)), "cyan")))
    show_panel(console, f"[bold]{escape(printable(name))}[/]", rows)
