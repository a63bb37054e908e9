"""A support vector machine on gradient histograms: the best without a network."""

from __future__ import annotations

from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.recipes import register


@register("hog_svm")
def hog_svm() -> ClassicalRecipe:
    """Edges in place of pixels, then as `svm`."""
    return ClassicalRecipe(name="hog_svm", estimator=Part("hog_svm"))
