"""Shares of mixing."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor


def draw_shares(alpha: float, n: int, generator: Generator) -> Tensor:
    """(N,) float32 in [0, 1] from Beta(alpha, alpha).

    PyTorch's own Beta takes no generator, so NumPy draws it from a seed that the generator gives.
    """
    seed = int(torch.randint(0, 2**62, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, n).astype(np.float32))
