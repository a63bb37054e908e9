"""Data sets, one per file: functions `(path, size, colour) -> Dataset`. Names are written with `-` or `_` alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hangtag.core.registry import Registry
from hangtag.core.types import Dataset

register: Registry[Callable[[Path | None, int, bool], Dataset]] = Registry("data set", __name__)
