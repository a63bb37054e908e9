"""What `hangtag transfer` pretrains with: the fast network, its labels left sharp, so that features stay rich."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("transfer")
def transfer() -> NetworkRecipe:
    """Settings of `quarter_hour` for half its epochs, without label smoothing, which makes features transfer worse.

    Source: Kornblith et al. 2021, "Why Do Better Loss Functions Lead to Less Transferable Features?", arXiv 2010.16402.
    """
    return NetworkRecipe(
        name="transfer",
        model=Part("fast", widths=(64, 128, 256)),
        augment=(Part("alternating_flip"), Part("shift", pixels=1), Part("cutout", size=8)),
        optimiser=Part("muon", lr=0.1, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=512,
        epochs=24,
        flip_average=True,
    )
