"""Small turns, scalings and slants, with bilinear sampling; what comes in from outside is background."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from hangtag.augment import register
from hangtag.augment._options import check_range
from hangtag.core.errors import HangtagError


@register("affine")
@dataclass(frozen=True)
class Affine:
    """Turn, scale and slant each picture about its centre.

    Args:
        degrees: largest turn either way, in degrees.
        scale: least and most size, 1 being unchanged.
        shear: largest slant either way, in degrees.
    """

    degrees: float = 8.0
    scale: tuple[float, float] = (0.92, 1.08)
    shear: float = 0.0

    def __post_init__(self) -> None:
        """Refuse options that turn a picture into another."""
        check_range("affine.scale", self.scale, 0.1, 10)
        for name, angle, most in (("degrees", self.degrees, 180), ("shear", self.shear, 80)):
            if not 0 <= angle <= most:
                raise HangtagError("usage_value", f"affine.{name} should be in [0, {most}] degrees, not {angle}")

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`matrix`: (N, 2, 3) float32, from places in the result to places in the source, both in [-1, 1]."""
        turn, shear, scale = torch.rand(3, len(index), generator=generator)
        turn = (2 * turn - 1) * math.radians(self.degrees)
        slant = ((2 * shear - 1) * math.radians(self.shear)).tan()
        scale = self.scale[0] + scale * (self.scale[1] - self.scale[0])
        cos, sin, zero = turn.cos() / scale, turn.sin() / scale, torch.zeros_like(turn)
        rows = [cos, cos * slant - sin, zero, sin, sin * slant + cos, zero]  # rotation times slant, over scale
        return {"matrix": torch.stack(rows, dim=1).view(-1, 2, 3)}

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The moved pictures."""
        grid = affine_grid(drawn["matrix"], list(images.shape), align_corners=False)
        return grid_sample(images, grid, align_corners=False).clamp(0, 255), targets
