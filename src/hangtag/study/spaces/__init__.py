"""Spaces that ship: functions without arguments that return lines as `--space` takes them, one space per file.

Facts given to the decorator: `recipe`, the name of one it suits; `sampler="grid"` if every combination is meant to be
tried.
"""

from __future__ import annotations

from collections.abc import Callable

from hangtag.core.registry import Registry

register: Registry[Callable[[], tuple[str, ...]]] = Registry("space", __name__)


def is_grid(name: str) -> bool:
    """Whether `name` is a space of which every combination is meant to be tried."""
    return name in register.names() and register.facts(name).get("sampler") == "grid"
