"""Recipes, one per file: functions that return a Recipe; the file's name is the recipe's name. No torch here."""

from __future__ import annotations

from collections.abc import Callable

from hangtag.core.recipe import Recipe
from hangtag.core.registry import Registry

register: Registry[Callable[[], Recipe]] = Registry("recipe", __name__)


def create(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        HangtagError: `usage_unknown_recipe`, with the nearest name.
    """
    return register.get(name)()
