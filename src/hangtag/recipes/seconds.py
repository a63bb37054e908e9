"""Above 92 percent in some fifteen seconds on two cores with matrix tiles, the start of Python included."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("seconds")
def seconds() -> NetworkRecipe:
    """As `minutes` with one layer less; for so few epochs nothing is hidden and more easy pictures are left out."""
    return NetworkRecipe(
        name="seconds",
        model=Part("fast", widths=(32, 64, 128), depths=(1, 2, 2)),
        augment=(Part("alternating_flip"),),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.1, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.8,
        batch_size=512,
        epochs=4,
        flip_average=True,
    )
