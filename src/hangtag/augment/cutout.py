"""Cutout: a square of fixed size, centred anywhere, becomes background.

Source: DeVries & Taylor 2017, arXiv 1708.04552. A centre near an edge cuts less than the whole square.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hangtag.augment import register
from hangtag.augment._boxes import inside
from hangtag.core.errors import HangtagError


@register("cutout")
@dataclass(frozen=True)
class Cutout:
    """Cut one square out of every picture.

    Args:
        size: side of the square, in pixels.
    """

    size: int = 8

    def __post_init__(self) -> None:
        """Refuse a square without pixels."""
        if self.size < 1:
            raise HangtagError("usage_value", f"cutout.size should be 1 or more, not {self.size}")

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`box`: (N, 4) int64, top, left, bottom, right in pixels, may stick out."""
        corner = torch.randint(0, size, (len(index), 2), generator=generator) - self.size // 2
        return {"box": torch.cat([corner, corner + self.size], dim=1)}

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The pictures with their squares cut out."""
        return images.masked_fill(inside(drawn["box"], *images.shape[2:]), 0), targets
