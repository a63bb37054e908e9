"""A wide network to teach smaller ones: minutes on a large GPU, a day on two cores."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("teacher")
def teacher() -> NetworkRecipe:
    """Ten million weights learn a training set by heart unless pictures are mixed as well as erased."""
    return NetworkRecipe(
        name="teacher",
        model=Part("wide_residual", widths=(64, 256, 512)),
        augment=(
            Part("alternating_flip"),
            Part("shift", pixels=2),
            Part("erase", probability=0.5, area=(0.02, 0.33)),
            Part("cutmix", probability=0.3),
        ),
        label_smoothing=0.05,
        optimiser=Part("muon", lr=0.05, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=256,
        epochs=45,
    )
