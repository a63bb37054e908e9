"""About twenty minutes on two cores without matrix tiles: nearly the network of `hour`, for a fifth of its epochs."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("quarter_hour")
def quarter_hour() -> NetworkRecipe:
    """Full resolution for the first stage; mirrored answers; chosen on validation pictures (docs/log.md)."""
    return NetworkRecipe(
        name="quarter_hour",
        model=Part("wide_residual", widths=(32, 96, 192), average=True),
        augment=(Part("alternating_flip"), Part("shift", pixels=1), Part("erase", probability=0.5, area=(0.02, 0.2))),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.05, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=256,
        epochs=13,
        flip_average=True,
    )
