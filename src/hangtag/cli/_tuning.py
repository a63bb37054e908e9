"""A study as seen in a terminal: its trials in a table, the best marked, and how long it will take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hangtag.cli._layout import is_lively, show_panel
from hangtag.core.printable import printable
from hangtag.watch import clock

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from hangtag.study.trials import Trial
    from hangtag.study.tune import Standing, Watch
    from hangtag.study.tuned import Tuned

_REFRESH_S = 0.2
_ROWS = 12  # trials shown at a time, the latest; the best stays in sight
_OVER = ("complete", "pruned", "failed", "lost")
_STYLES = {"complete": "", "pruned": "dim", "failed": "red", "lost": "yellow", "running": "cyan"}


@contextlib.contextmanager
def watched(title: str) -> Iterator[Watch]:
    """What `tune` should tell; drawn on standard error, a line for each finished trial where that is no terminal."""
    from rich.console import Console
    from rich.live import Live
    from rich.markup import escape

    from hangtag.study.tune import Watch

    console = Console(stderr=True, highlight=False)
    if not is_lively(console):
        yield _lines()
        return
    console.print(escape(printable(title)), style="bold")
    drawn_at = 0.0
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def standing(now: Standing) -> None:
            nonlocal drawn_at
            if time.perf_counter() - drawn_at > _REFRESH_S:
                drawn_at = time.perf_counter()
                live.update(_table(now), refresh=True)

        def message(text: str) -> None:
            console.print(escape(printable(text)), style="dim")

        def reading(what: str, done: int, total: int) -> None:
            live.update(f"[dim]{escape(printable(what))}  {done:,}/{total:,}[/]" if done < total else "", refresh=True)

        yield Watch(message=message, reading=reading, standing=standing)


def show_tuned(tuned: Tuned, console: Console) -> None:
    """What came out, and what to do with it."""
    from rich.markup import escape
    from rich.text import Text

    study = tuned.study
    rows = [("result", Text(printable(tuned.sentence), "bold green" if tuned.gained else "bold"))]
    if study.best is not None:
        rows.append(("settings", Text("\n".join(_settings(study.best).split(", ")))))
    if tuned.importance:
        shares = (f"{key} {share:.0%}" for key, share in tuned.importance.items())
        rows.append(("what mattered", Text(", ".join(shares))))
    counts = {state: sum(trial.state == state for trial in study.trials) for state in _OVER}
    ended = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"
    rows.append(("trials", Text(ended + ("; that is every combination of the space" if study.all_tried else ""))))
    rows.append(("page", Text(printable(study.out / "tune.html"))))
    if tuned.recipe is not None:
        rows.append(("next", Text(tuned.command, "cyan")))
    show_panel(console, f"[bold]{escape(printable(study.space.recipe.name))}, tuned[/]", rows)


def _lines() -> Watch:
    """One line on standard error for each trial that is over, and for each message."""
    import sys

    from hangtag.study.tune import Watch

    told: set[int] = set()
    first = True

    def standing(now: Standing) -> None:
        nonlocal first
        over = [trial for trial in now.trials if trial.state in _OVER and trial.number not in told]
        told.update(trial.number for trial in over)
        if first and len(over) > 1:
            tell(f"{len(over)} trials are there already")
            over = []
        first = False
        for trial in over:
            left = f"   {clock(now.eta_s)} left" if now.eta_s else ""
            best = "   best so far" if now.best is not None and now.best.number == trial.number else ""
            tell(f"{_line(trial)}{best}{left}")

    def tell(text: str) -> None:
        print(printable(text), file=sys.stderr, flush=True)

    return Watch(message=tell, standing=standing)


def _line(trial: Trial) -> str:
    reached = "" if trial.val_accuracy is None else f"{trial.val_accuracy:.2%}"
    spent = "" if trial.seconds is None else clock(trial.seconds)
    return f"{trial.number:>5}  {trial.state:<8} {reached:>7} {spent:>8}  {trial.error or _settings(trial)}"


def _settings(trial: Trial, *, short: bool = False) -> str:
    """`optimiser.lr=0.01`, or `lr=0.01`."""
    from hangtag.study.space import shown

    return ", ".join(
        f"{key.partition('.')[2] or key if short else key}={shown(value)}" for key, value in trial.settings.items()
    )


def _table(now: Standing) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for name, width in (("trial", 5), ("", 16), ("accuracy", 8), ("time", 7)):
        table.add_column(name, justify="left" if name == "" else "right", no_wrap=True, width=width)
    table.add_column("settings", overflow="ellipsis", no_wrap=True, ratio=1)
    shown = now.trials[-_ROWS:]
    missing = [t for t in (now.start, now.best) if t is not None and t.number < (shown[0].number if shown else 0)]
    for trial in [*{t.number: t for t in missing}.values(), *shown]:
        running = now.now.get(trial.number)
        state, accuracy = trial.state, trial.val_accuracy
        said: str = state
        if running is not None:
            said = f"epoch {running.epoch + 1}/{running.epochs}" if running.epochs else "getting ready"
            said = f"{said} {running.done:>4.0%}" if running.done else said
            accuracy = running.val_accuracy
        elif state == "running":
            said = "runs elsewhere"
        best = now.best is not None and now.best.number == trial.number
        start = now.start is not None and now.start.number == trial.number
        said = "★ best" if best else "start" if start and state == "complete" else said
        table.add_row(
            Text(str(trial.number)),
            Text(said, "bold green" if best else _STYLES[state]),
            Text("" if accuracy is None else f"{accuracy:.2%}", "bold green" if best else ""),
            Text("" if trial.seconds is None else clock(trial.seconds)),
            Text(printable(trial.error or _settings(trial, short=True)), _STYLES[state]),
        )
    over = sum(trial.state in _OVER[:3] for trial in now.trials)
    wanted = f" of {now.wanted}" if now.wanted is not None else ""
    left = f" · {clock(now.eta_s)} left" if now.eta_s is not None else ""
    return Group(table, Text(f"{over}{wanted} trials{left} · Ctrl-C saves all", "dim"))
