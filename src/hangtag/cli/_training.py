"""A run as seen in a terminal: one line per finished epoch, and a bar with speed, loss and time left below them."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from hangtag.experiment import Run, Watch
    from hangtag.training.loop import Epoch, Progress

_REFRESH_S = 0.1  # drawing at every step of a small network would cost more than the step
_BAR = 16


@contextlib.contextmanager
def watched(title: str) -> Iterator[Watch]:
    """What `experiment.run` should tell; drawn on standard error, as plain lines where that is no terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    from hangtag.core.printable import printable
    from hangtag.experiment import Watch

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Watch(message=lambda text: print(printable(text), file=sys.stderr, flush=True), progress=_plain_lines())
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
                    console.print(_HEADER, style="dim")
                console.print(_epoch_line(now.last, colour=True))
            if now.epoch_ended or time.perf_counter() - drawn_at > _REFRESH_S:
                drawn_at = time.perf_counter()
                text = (
                    f"epoch {now.epoch}/{now.epochs} · loss {now.loss:.3f} · {now.images_per_s:,.0f} pictures/s"
                    f" · [bold]{_clock(now.eta_s)}[/] left"
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
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from hangtag.core.printable import printable

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right")
    table.add_column()
    if run.val_accuracy is not None:
        accuracy = Text(f"{run.val_accuracy:.2%}", style="bold green")
        table.add_row("validation accuracy", accuracy + Text(f"   loss {run.val_loss:.3f}", style="dim"))
    if run.best_epoch is not None:
        table.add_row("kept", f"epoch {run.best_epoch} of {len(run.history)}")
    table.add_row("time", f"{_clock(run.seconds)} to train, {run.export_seconds:.1f} s to export")
    if run.params is not None:
        table.add_row("size", f"{run.params:,} parameters")
    table.add_row("peak memory", f"{run.peak_rss_mb:,.0f} MB")
    if run.resumed_from_step:
        table.add_row("resumed", f"from step {run.resumed_from_step:,}")
    if run.bundle is None:
        table.add_row("bundle", "none: this algorithm has no exact ONNX form, it is for comparison only")
    else:
        bundle, place = shlex.quote(run.bundle), f" --data {shlex.quote(data)}" if data else ""
        steps = (f"hangtag evaluate {bundle}{place}", f"hangtag recognise -m {bundle} photo.jpg")
        table.add_row("bundle", Text(printable(run.bundle)))
        table.add_row("next", Text("\n".join(map(printable, steps)), "cyan"))
    console.print(
        Panel(table, title=f"[bold]{escape(printable(name))}[/]", title_align="left", border_style="dim", expand=False)
    )


_HEADER = f"{'epoch':>6} {'loss':>8} {'train':>8} {'val loss':>9} {'val':>8}  {'':{_BAR}} {'time':>7}"


def _epoch_line(epoch: Epoch, *, colour: bool) -> str:
    line = f"{epoch.epoch:>6} {epoch.loss:>8.4f} {epoch.accuracy:>8.2%}"
    if epoch.val_accuracy is None or epoch.val_loss is None:
        return f"{line} {'':>9} {'':>8}  {'':{_BAR}} {_clock(epoch.seconds):>7}"
    # The bar spans 80..100 %: below that the number says enough, above it every point is worth seeing.
    filled = round(_BAR * min(1.0, max(0.0, (epoch.val_accuracy - 0.8) / 0.2)))
    bar = "━" * filled + " " * (_BAR - filled)
    if colour:
        bar = f"[green]{bar}[/]"
    return f"{line} {epoch.val_loss:>9.4f} {epoch.val_accuracy:>8.2%}  {bar} {_clock(epoch.seconds):>7}"


def _plain_lines() -> Callable[[Progress], None]:
    printed = [0]

    def progress(now: Progress) -> None:
        if now.epoch_ended and now.last:
            if not printed[0]:
                print(_HEADER, file=sys.stderr)
            printed[0] += 1
            print(_epoch_line(now.last, colour=False), file=sys.stderr, flush=True)

    return progress


def _clock(seconds: float) -> str:
    """12.3 -> 12 s; 75 -> 1:15; 3700 -> 1:01:40."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
