"""A Gaussian support vector machine on principal components: under a minute on two cores."""

from __future__ import annotations

from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.recipes import register


@register("svm")
def svm() -> ClassicalRecipe:
    """Every training picture takes part."""
    return ClassicalRecipe(name="svm", estimator=Part("svm"))
