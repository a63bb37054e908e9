"""trial."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("wide")
def wide() -> NetworkRecipe:
    """trial."""
    return NetworkRecipe(
        name="wide",
        model=Part("wide_residual"),
        augment=(Part("alternating_flip"), Part("shift", pixels=1), Part("erase", probability=0.5, area=(0.02, 0.2))),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.05, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=256,
        epochs=8,
        flip_average=True,
    )
