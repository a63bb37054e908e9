"""What published projects claim of Fashion-MNIST, one claim per file: what measures it, and how that is read.

A claim is not argued with here, it is run again: every number of the ledger comes out of a `hangtag` command that
anybody can type, and the ledger names it. Where the published words leave something open, `reading` says how they were
taken. `hangtag.study.ledger` runs the commands and writes the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from hangtag.core.registry import Registry

Results: TypeAlias = Mapping[str, dict[str, Any]]
"""What each command printed with `--json`, by the command's name."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A `hangtag` command to run.

    Args:
        name: unique among all claims; the same command may be part of several.
        words: what stands behind `hangtag`; `{NAME}` is the folder of command NAME's results, `{seed}` the seed.
        quick: the words of a try in minutes; the same as `words` if empty.
        seconds: about how long it takes on two cores.
        quick_seconds: about how long the quick one takes.
        keeps: it takes `--out`, and goes on there when it is started again.
    """

    name: str
    words: tuple[str, ...]
    quick: tuple[str, ...] = ()
    seconds: float
    quick_seconds: float = 10.0
    keeps: bool = True


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure that was claimed, and ours.

    Args:
        figure: what is measured, e.g. "LeNet-5: test accuracy".
        claimed: the published number, or None where only words were published.
        ours: what the commands gave.
        unit: "share" is shown as per cent, "points" are a difference of shares; "loss", "megabytes".
        wanted: whether `ours` reproduces it from above ("least") or from below ("most").
        n: runs behind `ours`.
        spread: standard deviation over them, None for one run.
        command: the name of the command it came from.
        beaten: what does better in the same time or less, in words with its numbers; empty where nothing did.
    """

    figure: str
    claimed: float | None
    ours: float
    unit: Literal["share", "points", "loss", "megabytes"] = "share"
    wanted: Literal["least", "most"] = "least"
    n: int = 1
    spread: float | None = None
    command: str
    beaten: str = ""

    @property
    def reproduced(self) -> bool:
        """Whether ours is as good as what was claimed."""
        if self.claimed is None:
            return True
        return self.ours >= self.claimed if self.wanted == "least" else self.ours <= self.claimed

    @property
    def ratio(self) -> float | None:
        """Ours over the claimed number."""
        return None if not self.claimed else self.ours / self.claimed


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What somebody published.

    Args:
        said: the claim, in a sentence.
        measured_on: pictures and hardware, as far as it was said.
        reading: how it was taken where it leaves something open.
        commands: what measures it, in this order.
        rows: the figures, from what the commands printed.
        remarks: sentences that belong beside the figures, from the same.
        confusions: names of `evaluate` commands whose confusion matrix is shown.
    """

    said: str
    measured_on: str
    reading: str
    commands: tuple[Command, ...]
    rows: Callable[[Results], list[Row]]
    remarks: Callable[[Results], list[str]] = field(default=lambda results: [])
    confusions: tuple[str, ...] = ()


register: Registry[Claim] = Registry("claim", __name__)
