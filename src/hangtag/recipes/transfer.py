"""What `hangtag transfer` trains with: the fast network, thrice within ten minutes on two cores."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("transfer")
def transfer() -> NetworkRecipe:
    """`minutes` with wider later stages and more hidden; pretraining leaves labels sharp (study/transfer.py)."""
    return NetworkRecipe(
        name="transfer",
        model=Part("fast", widths=(32, 128, 192)),
        augment=(Part("alternating_flip"), Part("shift", pixels=1), Part("cutout", size=8)),
        label_smoothing=0.1,
        optimiser=Part("muon", lr=0.1, rest_lr=5e-3, weight_decay=0.05),
        schedule=Part("one_cycle", warmup=0.1),
        prune=0.5,
        batch_size=512,
        epochs=22,
        flip_average=True,
    )
