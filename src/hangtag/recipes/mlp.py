"""A multilayer perceptron: what the pixels are worth without convolutions, in half a minute."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("mlp")
def mlp() -> NetworkRecipe:
    """AdamW along a one-cycle schedule, mirrored pictures."""
    return NetworkRecipe(
        name="mlp",
        model=Part("mlp"),
        augment=(Part("flip"),),
        optimiser=Part("adamw", lr=2e-3, weight_decay=0.05),
        schedule=Part("one_cycle"),
        batch_size=128,
        epochs=15,
    )
