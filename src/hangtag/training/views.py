"""Augmented views of all training pictures, each a function of its number alone.

Teachers are asked about each once, their answers are kept, and students of any seed are shown the very same views: so
a student sees what its teachers saw, without asking them at every step.

Source: Beyer et al. 2021, "Knowledge distillation: A good teacher is patient and consistent", arXiv 2106.05237.
Departure: their views never repeat; here a run of more epochs than views shows them again.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hangtag import augment
from hangtag.core.recipe import Part
from hangtag.core.seeds import derive
from hangtag.core.types import Pictures

CHUNK = 1000  # pictures augmented at once, and among whom those are paired that mix


def channels_first(images: Pictures) -> Tensor:
    """(N, H, W) or (N, H, W, 3) uint8 -> (N, C, H, W), contiguous, on the CPU."""
    moved = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(moved))


class Views:
    """What `parts` make of `images`.

    Args:
        parts: a recipe's augmentations.
        images: (N, C, H, W) uint8, on any device.
        targets: (N, K), which mixing changes too.

    Raises:
        HangtagError: `usage_*` for a part or option that is none.
    """

    def __init__(self, parts: tuple[Part, ...], images: Tensor, targets: Tensor) -> None:
        self._augmentations = augment.create(parts)
        self._images, self._targets = images, targets

    def of(self, number: int) -> tuple[Tensor, Tensor]:
        """View `number`, from 0: all pictures in their order, (N, C, H, W) uint8, and their targets, (N, K)."""
        generator = torch.Generator().manual_seed(derive(0, "view", number))
        shown, wanted = torch.empty_like(self._images), torch.empty_like(self._targets)
        for start in range(0, len(self._images), CHUNK):
            part = slice(start, start + CHUNK)
            images, targets = self._images[part].float(), self._targets[part]
            index = torch.arange(start, start + len(images))
            images, targets = augment.augmented(self._augmentations, images, targets, index, number, generator)
            shown[part] = images.round().clamp(0, 255).to(torch.uint8)
            wanted[part] = targets
        return shown, wanted

    def pictures(self, number: int) -> Pictures:
        """View `number` as predictors take it, (N, H, W) or (N, H, W, 3) uint8."""
        shown = self.of(number)[0].cpu()
        pictures: Pictures = (shown[:, 0] if shown.shape[1] == 1 else shown.permute(0, 2, 3, 1)).contiguous().numpy()
        return pictures
