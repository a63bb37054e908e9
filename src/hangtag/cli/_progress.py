"""Progress on standard error: one bar per thing that takes long, gone when done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from hangtag.cli._layout import is_lively
from hangtag.core.printable import printable


@contextlib.contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """A function to be told `(what, done, total)`; draws only where standard error is a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not is_lively(console)) as progress:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(escape(printable(what)), total=total)
            progress.update(tasks[what], completed=done, total=total, visible=done < total)  # type: ignore[arg-type]

        yield tell
