"""The published Keras project's settings: Adam 1e-3, batch 64, dropout 0.5, 10 epochs, early stopping after 3."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("three_conv")
def three_conv() -> NetworkRecipe:
    """No augmentation, no schedule: what the published figure was reached with."""
    return NetworkRecipe(
        name="three_conv",
        model=Part("three_conv", dropout=0.5),
        optimiser=Part("adam", lr=1e-3),
        schedule=Part("constant"),
        batch_size=64,
        epochs=10,
        patience=3,
    )
