"""Recipes, one per file: functions that return a Recipe; the file's name is the recipe's name. No torch here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular
from hangtag.core.recipe import Recipe, from_dict
from hangtag.core.registry import Registry

register: Registry[Callable[[], Recipe]] = Registry("recipe", __name__)


def create(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        HangtagError: `usage_unknown_recipe`, with the nearest name.
    """
    return register.get(name)()


def read(path: Path) -> Recipe:
    """The recipe in a JSON file: one that was written down, or the `run.json` or `card.json` of a run.

    Raises:
        HangtagError: `usage_recipe_file` if it cannot be read; `usage_*` if it is no recipe.
    """
    try:
        record = json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError) as error:
        raise HangtagError("usage_recipe_file", f"{path} cannot be read as a recipe: {error}") from error
    if not isinstance(record, dict):
        raise HangtagError("usage_recipe_file", f"{path} is not a recipe")
    return from_dict(record["recipe"] if isinstance(record.get("recipe"), dict) else record)
