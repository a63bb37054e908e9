"""Mirror pictures left to right, each with a given probability."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hangtag.augment import register
from hangtag.augment._options import check_share


@register("flip")
@dataclass(frozen=True)
class Flip:
    """Mirror left to right.

    Args:
        probability: share of pictures mirrored, in [0, 1].
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        check_share("flip.probability", self.probability)

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`flipped`: (N,) bool."""
        return {"flipped": torch.rand(len(index), generator=generator) < self.probability}

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The mirrored and the left-alone pictures, in their places."""
        flipped = drawn["flipped"][:, None, None, None]
        return torch.where(flipped, images.flip(3), images), targets
