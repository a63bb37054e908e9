"""The five nearest training pictures vote; for comparison only."""

from __future__ import annotations

from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.recipes import register


@register("knn")
def knn() -> ClassicalRecipe:
    """As in Cover and Hart, with nearer neighbours counting more."""
    return ClassicalRecipe(name="knn", estimator=Part("knn"))
