"""Random erasing: a rectangle of random place, area and shape becomes noise.

Source: Zhong et al. 2017, arXiv 1708.04896. Departure: a rectangle that does not fit is clipped to the picture's sides
instead of being drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hangtag.augment import register
from hangtag.augment._boxes import inside
from hangtag.augment._options import check_range, check_share


@register("erase")
@dataclass(frozen=True)
class Erase:
    """Fill one rectangle per chosen picture with noise, uniform in 0..255.

    Args:
        probability: share of pictures erased from, in [0, 1].
        area: least and most of the picture's area, in (0, 1].
        aspect: least and most height over width, drawn evenly in its logarithm.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.33)
    aspect: tuple[float, float] = (0.3, 3.3)

    def __post_init__(self) -> None:
        """Refuse options that mean nothing."""
        check_share("erase.probability", self.probability)
        check_range("erase.area", self.area, 1e-6, 1)
        check_range("erase.aspect", self.aspect, 1e-3, 1e3)

    def draw(self, index: Tensor, size: int, epoch: int, generator: Generator) -> dict[str, Tensor]:
        """`box`: (N, 4) int64 in pixels, empty where nothing is erased; `noise`: (N, 1, size, size) float32."""
        chance, area, aspect, down, right = torch.rand(5, len(index), generator=generator)
        area = (self.area[0] + area * (self.area[1] - self.area[0])) * size**2
        low, high = torch.tensor(self.aspect).log()
        aspect = (low + aspect * (high - low)).exp()
        height = (area * aspect).sqrt().round().clamp(1, size)
        width = (area / aspect).sqrt().round().clamp(1, size)
        top, left = (down * (size - height + 1)).floor(), (right * (size - width + 1)).floor()
        height = torch.where(chance < self.probability, height, 0)
        box = torch.stack([top, left, top + height, left + width], dim=1).long()
        return {"box": box, "noise": torch.rand(len(index), 1, size, size, generator=generator) * 255}

    def apply(self, images: Tensor, targets: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The pictures with noise in their rectangles, the same in every channel."""
        return torch.where(inside(drawn["box"], *images.shape[2:]), drawn["noise"], images), targets
