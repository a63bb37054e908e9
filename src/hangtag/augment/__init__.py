"""Augmentations, one per file, each on a whole batch: first parameters are drawn, then a pure function applies them.

An augmentation is a frozen dataclass whose fields are its options, with
`draw(index, size, epoch, generator) -> dict[str, Tensor]` and `apply(images, targets, drawn) -> (images, targets)`:
    index: (N,) int64, each picture's place in the training set;  size: pixels along a side;  epoch: from 0;
    generator: the only source of randomness, on the CPU;
    images: (N, C, H, W) float32, 0..255, background 0;  targets: (N, K) float32, rows sum to 1.
`apply` does not change its arguments. Drawing apart from applying lets every augmentation be replayed and tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hangtag.core.recipe import Part
from hangtag.core.registry import Registry

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Augmentation(Protocol):
    """See the module's text for shapes and ranges."""

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """Everything random, as tensors whose first dimension is N."""
        ...

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """New pictures and targets; a pure function of its arguments."""
        ...


register: Registry[type[Augmentation]] = Registry("augmentation", __name__)


def augmented(
    augmentations: list[Augmentation], images: Tensor, targets: Tensor, index: Tensor, epoch: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """A batch after all `augmentations`, one after the other; for shapes see the module's text."""
    for augmentation in augmentations:
        drawn = augmentation.draw(index, images.shape[-1], epoch, generator)
        drawn = {name: tensor.to(images.device) for name, tensor in drawn.items()}
        images, targets = augmentation.apply(images, targets, drawn)
    return images, targets


def create(parts: tuple[Part, ...]) -> list[Augmentation]:
    """The augmentations of a recipe, in order.

    Raises:
        HangtagError: `usage_unknown_augmentation`, `usage_unknown_key` or `usage_value`.
    """
    return [part.call(register.get(part.name)) for part in parts]
