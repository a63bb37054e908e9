"""A hundred deep trees: half a minute on two cores."""

from __future__ import annotations

from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.recipes import register


@register("random_forest")
def random_forest() -> ClassicalRecipe:
    """Breiman's, with leaves of two pictures or more."""
    return ClassicalRecipe(name="random_forest", estimator=Part("random_forest"))
