"""CutMix: a rectangle of another picture replaces part of each, and the target follows the areas.

Source: Yun et al. 2019, arXiv 1905.04899, algorithm A1. Departure: the rectangle is drawn per picture, not per batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hangtag.augment import register
from hangtag.augment._boxes import inside
from hangtag.augment._options import check_positive, check_share
from hangtag.augment._shares import draw_shares


@register("cutmix")
@dataclass(frozen=True)
class Cutmix:
    """Paste rectangles between pictures in pairs.

    Args:
        alpha: of Beta(alpha, alpha), from which the share of area that stays is drawn.
        probability: share of pictures pasted into, in [0, 1].
    """

    alpha: float = 1.0
    probability: float = 0.5

    def __post_init__(self) -> None:
        """Refuse options that mean nothing."""
        check_positive("cutmix.alpha", self.alpha)
        check_share("cutmix.probability", self.probability)

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`partner`: (N,) int64, a place in the batch; `box`: (N, 4) int64 in pixels, empty where nothing is pasted."""
        n = len(index)
        share = draw_shares(self.alpha, n, generator)
        chance, down, right = torch.rand(3, n, generator=generator)
        half = torch.where(chance < self.probability, (1 - share).sqrt() * size / 2, 0)
        edges = torch.stack([down * size - half, right * size - half, down * size + half, right * size + half], dim=1)
        return {
            "partner": torch.randperm(n, generator=generator),
            "box": edges.round().clamp(0, size).long(),
        }

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Pasted pictures; targets mixed by the area that really changed hands."""
        partner, box = drawn["partner"], drawn["box"]
        height, width = images.shape[2:]
        pasted = torch.where(inside(box, height, width), images[partner], images)
        area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
        kept = 1 - area.to(targets.dtype) / (height * width)
        return pasted, torch.lerp(targets[partner], targets, kept[:, None])
