"""Brownlee's settings: SGD 0.01 with momentum 0.9, batch 32, ten epochs, nothing else."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("brownlee")
def brownlee() -> NetworkRecipe:
    """As published; Keras's momentum is the plain one, not Nesterov's."""
    return NetworkRecipe(
        name="brownlee",
        model=Part("brownlee"),
        optimiser=Part("sgd", lr=0.01, momentum=0.9, nesterov=False),
        schedule=Part("constant"),
        batch_size=32,
        epochs=10,
    )
