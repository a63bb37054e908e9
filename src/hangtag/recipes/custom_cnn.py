"""A small VGG with batch norm and dropout on mirrored and moved pictures: a few minutes on two cores."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("custom_cnn")
def custom_cnn() -> NetworkRecipe:
    """AdamW along a one-cycle schedule, weights averaged."""
    return NetworkRecipe(
        name="custom_cnn",
        model=Part("custom_cnn"),
        augment=(Part("alternating_flip"), Part("shift", pixels=2)),
        label_smoothing=0.05,
        optimiser=Part("adamw", lr=4e-3, weight_decay=0.05),
        schedule=Part("one_cycle"),
        average=Part("ema", decay=0.995, every=5),
        batch_size=128,
        epochs=12,
        flip_average=True,
    )
