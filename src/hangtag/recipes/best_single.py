"""A network to be taught on a GPU, as `weights/best_single` was; without teachers `two_hours` is more accurate."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("best_single")
def best_single() -> NetworkRecipe:
    """Random erasing with the area of its paper (Zhong et al. 2017), which hides more than a fixed square does."""
    return NetworkRecipe(
        name="best_single",
        model=Part("wide_residual", widths=(64, 128, 256)),
        augment=(Part("alternating_flip"), Part("shift", pixels=2), Part("erase", probability=0.5, area=(0.02, 0.33))),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.05, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=256,
        epochs=70,
        flip_average=True,
    )
