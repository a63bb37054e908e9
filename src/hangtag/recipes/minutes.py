"""Above 94 percent in under two minutes on two cores with matrix tiles."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("minutes")
def minutes() -> NetworkRecipe:
    """Muon, one cycle; pictures mirrored and partly hidden, easy ones left out; each judged with its mirror image."""
    return NetworkRecipe(
        name="minutes",
        model=Part("fast", widths=(32, 64, 128)),
        augment=(Part("alternating_flip"), Part("cutout", size=6)),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.1, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.6,
        batch_size=512,
        epochs=22,
        flip_average=True,
    )
