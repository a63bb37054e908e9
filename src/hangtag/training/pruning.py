"""Leaving easy pictures out of an epoch, without leaning towards the hard ones.

Source: Qin et al. 2024, "InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning", arXiv 2303.04947. Of
the pictures whose last loss was below the mean a share is left out at random, others each epoch; those of them that
stay count for those that went, so that the expected gradient is that of all pictures. Epochs that begin in the last
eighth of a run see all. On Fashion-MNIST a share of one half saves a third of the work (docs/log.md).
"""

from __future__ import annotations

import torch
from torch import Tensor

ANNEAL = 0.875  # of the run; after that nothing is left out (section 3.3 of the paper)


def choose(losses: Tensor, share: float, done: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which pictures an epoch shows, and how much the loss of each counts.

    Args:
        losses: (N,) each picture's loss when it was last seen; infinite if it never was.
        share: of the easy pictures that are left out, in [0, 1).
        done: of the run so far, in [0, 1).
        generator: draws which.

    Returns:
        (N,) bool, and (N,) float: 1 for a hard picture, 1 / (1 - share) for an easy one.
    """
    seen = torch.isfinite(losses)
    if done >= ANNEAL or not seen.any():
        return torch.ones_like(seen), torch.ones_like(losses)
    easy = losses < losses[seen].mean()
    left_out = easy & (torch.rand(len(losses), generator=generator) < share)
    return ~left_out, torch.where(easy, 1 / (1 - share), 1.0)
