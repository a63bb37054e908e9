"""What training times are compared with, frozen on 2026-11-21: `custom_cnn`, batches of 32, fp32, 20 epochs."""

from __future__ import annotations

from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.recipes import register


@register("speed_baseline")
def speed_baseline() -> NetworkRecipe:
    """Spelled out, as `custom_cnn` may change. The rate is a quarter of its, as the batch is: Adam's own."""
    return NetworkRecipe(
        name="speed_baseline",
        model=Part("custom_cnn", filters=(32, 64, 128), kernel=3),
        augment=(Part("alternating_flip"), Part("shift", pixels=2)),
        label_smoothing=0.05,
        optimiser=Part("adamw", lr=1e-3, weight_decay=0.05),
        schedule=Part("one_cycle"),
        average=Part("ema", decay=0.995, every=5),
        batch_size=32,
        precision="fp32",
        epochs=20,
        flip_average=True,
    )
