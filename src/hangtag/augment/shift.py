"""Move pictures by whole pixels; what comes in from the edge is background."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from hangtag.augment import register
from hangtag.core.errors import HangtagError


@register("shift")
@dataclass(frozen=True)
class Shift:
    """Move each picture by up to `pixels` along both axes, independently: a random crop of the padded picture.

    Args:
        pixels: largest move, in pixels.
    """

    pixels: int = 2

    def __post_init__(self) -> None:
        """Refuse a move that is none."""
        if self.pixels < 1:
            raise HangtagError("usage_value", f"shift.pixels should be 1 or more, not {self.pixels}")

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`offset`: (N, 2) int64, where the crop starts in the padded picture, down and right, in [0, 2 * pixels]."""
        return {"offset": torch.randint(0, 2 * self.pixels + 1, (len(index), 2), generator=generator)}

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The moved pictures."""
        height, width = images.shape[2:]
        down, right = drawn["offset"].unbind(1)
        # Every window of the padded picture is a view; picking one per picture is the only copy.
        windows = pad(images, [self.pixels] * 4).unfold(2, height, 1).unfold(3, width, 1)
        return windows[torch.arange(len(images), device=images.device), :, down, right], targets
