"""The recipe `minutes` under its first name."""

from __future__ import annotations

from dataclasses import replace

from hangtag.core.recipe import Recipe
from hangtag.recipes import register
from hangtag.recipes.minutes import minutes


@register("fast")
def fast() -> Recipe:
    """The same as `minutes`."""
    return replace(minutes(), name="fast")
