"""The shipped model, there with teachers: a narrow `best_single` without mirrored answers, to answer quickly."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("hour")
def hour() -> NetworkRecipe:
    """One picture takes ONNX Runtime less than two milliseconds on two cores; with its mirror image it would not."""
    return NetworkRecipe(
        name="hour",
        model=Part("wide_residual", widths=(32, 96, 192)),
        augment=(Part("alternating_flip"), Part("shift", pixels=2), Part("erase", probability=0.5, area=(0.02, 0.33))),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.05, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=256,
        epochs=70,
    )
