"""Data sets, one per file: functions `(path, size, colour, progress) -> Dataset`. In a name `-` and `_` are alike.

path: where the user says it lies, or None: then the set looks in `HANGTAG_DATA` and the cache, or downloads, if it can.
size, colour: pixels along a side, and (size, size, 3) pictures in place of (size, size).
progress: told `(what, done, total)` while something takes long.

Facts given to the decorator, for model cards: `source`, `licence`, `limits` (what a model cannot have learnt from it).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from hangtag.core.errors import HangtagError
from hangtag.core.registry import Registry
from hangtag.core.types import Dataset

Progress: TypeAlias = Callable[[str, int, int], None]
Opener: TypeAlias = Callable[[Path | None, int, bool, Progress], Dataset]

LINKED = "linked-folder="  # before a path: links in it are followed

register: Registry[Opener] = Registry("data set", __name__)


def only_28_grey(name: str, size: int, colour: bool) -> None:
    """Refuse a size or colour the published pictures do not have.

    Raises:
        HangtagError: `usage_value`.
    """
    if size != 28 or colour:
        wanted = f"{size}x{size}{' in colour' if colour else ''}"
        cure = "they suit what is trained with --set size=28 --set colour=false"
        raise HangtagError("usage_value", f"{name} holds grey pictures of 28x28, not {wanted}: {cure}")
