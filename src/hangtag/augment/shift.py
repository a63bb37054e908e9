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
        n, channels, height, width = images.shape
        offset = drawn["offset"]
        padded = pad(images, [self.pixels] * 4).reshape(n, channels, -1)
        rows = offset[:, 0, None] + torch.arange(height, device=offset.device)  # (N, H)
        columns = offset[:, 1, None] + torch.arange(width, device=offset.device)  # (N, W)
        places = rows[:, :, None] * (width + 2 * self.pixels) + columns[:, None, :]  # (N, H, W)
        places = places.reshape(n, 1, -1).expand(-1, channels, -1)
        return padded.gather(2, places).reshape(images.shape), targets
