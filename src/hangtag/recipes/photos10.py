"""A photo network for Fashion-MNIST's ten classes and `other`, trained on photos and composed images."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("photos10")
def photos10() -> NetworkRecipe:
    """In colour, 224 pixels a side, from ImageNet's weights; an hour on two cores."""
    return NetworkRecipe(
        name="photos10",
        data="photos10",
        size=224,
        colour=True,
        model=Part("photo_network", prior=0.4),
        start="imagenet",
        augment=(Part("flip"),),
        label_smoothing=0.08,
        optimiser=Part("adamw", lr=6e-4, beta2=0.99, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.06),
        average=Part("ema", decay=0.998),
        batch_size=48,
        epochs=3,
    )
