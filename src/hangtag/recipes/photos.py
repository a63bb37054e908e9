"""Photos of one's own, a few hundred or thousand of them: what ImageNet taught, taught on."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("photos")
def photos() -> NetworkRecipe:
    """In colour, 128 pixels a side; `start=null` is the same from scratch."""
    return NetworkRecipe(
        name="photos",
        data="image-folder",
        size=128,
        colour=True,
        model=Part("efficientnet_lite"),
        start="imagenet",
        augment=(
            Part("flip"),
            Part("affine", degrees=10.0, scale=(0.8, 1.25)),
            Part("erase", probability=0.25, area=(0.02, 0.2)),
        ),
        label_smoothing=0.1,
        optimiser=Part("adamw", lr=1e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.2),
        batch_size=32,
        epochs=10,
        flip_average=True,
    )
