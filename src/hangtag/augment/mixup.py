"""Mixup: each picture becomes a weighted mean with another, and so does its target.

Source: Zhang et al. 2017, arXiv 1710.09412. Departure: the share is drawn per picture, not per batch; the larger share
stays with the picture itself, which covers the same pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hangtag.augment import register
from hangtag.augment._options import check_positive
from hangtag.augment._shares import draw_shares


@register("mixup")
@dataclass(frozen=True)
class Mixup:
    """Blend pictures in pairs.

    Args:
        alpha: of Beta(alpha, alpha), from which shares are drawn; small values blend little.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a distribution that is none."""
        check_positive("mixup.alpha", self.alpha)

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`partner`: (N,) int64, a place in the batch; `share`: (N,) float32 in [0.5, 1], the picture's own."""
        share = draw_shares(self.alpha, len(index), generator)
        return {
            "partner": torch.randperm(len(index), generator=generator),
            "share": torch.maximum(share, 1 - share),
        }

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Blended pictures and targets."""
        partner, share = drawn["partner"], drawn["share"]
        mixed = torch.lerp(images[partner], images, share[:, None, None, None])
        return mixed, torch.lerp(targets[partner], targets, share[:, None])
