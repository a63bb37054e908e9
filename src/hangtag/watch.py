"""Watching a run: who is told what, and the plain lines that serve where no terminal draws."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hangtag.core.printable import printable

if TYPE_CHECKING:
    from hangtag.training.loop import Epoch, Progress

BAR = 16  # characters of an epoch's bar
HEADER = f"{'epoch':>6} {'loss':>8} {'train':>8} {'val loss':>9} {'val':>8}  {'':{BAR}} {'time':>7}"


@dataclass(frozen=True)
class Watch:
    """Who is told what while a run goes on. The default tells nobody."""

    message: Callable[[str], None] = lambda text: None
    reading: Callable[[str, int, int], None] = lambda what, done, total: None  # while data are read or fetched
    progress: Callable[[Any], None] = lambda progress: None  # a training.loop.Progress after each step


def lines() -> Watch:
    """One line on standard error for each finished epoch, with the time left, and for each message."""
    printed = False

    def progress(now: Progress) -> None:
        nonlocal printed
        if now.epoch_ended and now.last:
            if not printed:
                tell(HEADER)
            printed = True
            tell(f"{epoch_line(now.last)}   {clock(now.eta_s)} left" if now.eta_s else epoch_line(now.last))

    def tell(text: str) -> None:
        print(printable(text), file=sys.stderr, flush=True)

    return Watch(message=tell, progress=progress)


def epoch_line(epoch: Epoch, colour: str = "") -> str:
    """An epoch as a line under `HEADER`; with a colour, its bar is marked up for rich."""
    line = f"{epoch.epoch:>6} {epoch.loss:>8.4f} {epoch.accuracy:>8.2%}"
    if epoch.val_accuracy is None or epoch.val_loss is None:
        return f"{line} {'':>9} {'':>8}  {'':{BAR}} {clock(epoch.seconds):>7}"
    # The bar spans 80..100 %: below that the number says enough, above it every point is worth seeing.
    filled = round(BAR * min(1.0, max(0.0, (epoch.val_accuracy - 0.8) / 0.2)))
    bar = f"{'━' * filled:{BAR}}"
    marked = f"[{colour}]{bar}[/]" if colour else bar
    return f"{line} {epoch.val_loss:>9.4f} {epoch.val_accuracy:>8.2%}  {marked} {clock(epoch.seconds):>7}"


def clock(seconds: float) -> str:
    """12.3 -> 12 s; 75 -> 1:15; 3700 -> 1:01:40."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
