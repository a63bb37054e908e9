"""LeNet-5 with today's optimiser: the quickest network that is worth its accuracy."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("lenet5")
def lenet5() -> NetworkRecipe:
    """Adam along a one-cycle schedule, mirrored pictures."""
    return NetworkRecipe(
        name="lenet5",
        model=Part("lenet5"),
        augment=(Part("flip"),),
        optimiser=Part("adam", lr=3e-3),
        schedule=Part("one_cycle"),
        batch_size=128,
        epochs=8,
    )
