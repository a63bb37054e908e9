"""Histogram-based gradient boosting: the best of the trees, some minutes on two cores."""

from __future__ import annotations

from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.recipes import register


@register("gradient_boosting")
def gradient_boosting() -> ClassicalRecipe:
    """150 rounds of ten trees."""
    return ClassicalRecipe(name="gradient_boosting", estimator=Part("gradient_boosting"))
