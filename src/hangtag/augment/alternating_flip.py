"""Mirror each picture every other epoch, so that two epochs show it both ways round.

Source: airbench, Jordan 2024, arXiv 2404.00498, section 3.6. Which pictures start mirrored is fixed by a hash of their
place in the training set.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from hangtag.augment import register
from hangtag.augment.flip import Flip

_MIX = 0x9E3779B97F4A7C15 - (1 << 64)  # 2**64 / golden ratio: neighbouring places get unrelated high bits (Knuth, 6.4)


@register("alternating_flip")
@dataclass(frozen=True)
class AlternatingFlip:
    """Mirror left to right in even or in odd epochs. Nothing is random."""

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`flipped`: (N,) bool."""
        half = (index * _MIX) >> 63 & 1  # int64 wraps round; its top bit splits the pictures in halves
        return {"flipped": (half + epoch) % 2 == 1}

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The mirrored and the left-alone pictures, in their places."""
        return Flip().apply(images, targets, drawn)
