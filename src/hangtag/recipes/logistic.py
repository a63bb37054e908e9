"""Logistic regression on pixels: the least that a model has to beat."""

from __future__ import annotations

from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.recipes import register


@register("logistic")
def logistic() -> ClassicalRecipe:
    """Softmax regression with a light L2 penalty."""
    return ClassicalRecipe(name="logistic", estimator=Part("logistic"))
