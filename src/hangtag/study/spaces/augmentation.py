"""How pictures are changed while training: mirrored, moved, partly hidden, turned, blended; how sure targets are."""

from __future__ import annotations

from hangtag.study.spaces import register


@register("augmentation", recipe="lenet5")
def augmentation() -> tuple[str, ...]:
    """Combinations that are in use, with how strong each is."""
    return (
        "augment=[]|flip|alternating_flip|alternating_flip,shift|alternating_flip,cutout|alternating_flip,shift,cutout"
        "|flip,erase|flip,affine|flip,mixup|flip,cutmix",
        "augment.shift.pixels=1..3",
        "augment.cutout.size=4..12",
        "augment.erase.probability=0.1..0.9",
        "augment.affine.degrees=2..20",
        "augment.mixup.alpha=0.05..0.4:linear",
        "augment.cutmix.probability=0.1..0.9",
        "label_smoothing=0..0.2",
    )
