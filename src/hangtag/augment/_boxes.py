"""Rectangles, one per picture, as masks."""

from __future__ import annotations

import torch
from torch import Tensor


def inside(box: Tensor, height: int, width: int) -> Tensor:
    """(N, 1, H, W) bool, true inside each rectangle.

    Args:
        box: (N, 4), top, left, bottom, right in pixels; bottom and right are the first beyond. May stick out.
        height: of the pictures.
        width: of the pictures.
    """
    top, left, bottom, right = (edge[:, None] for edge in box.unbind(1))
    y, x = torch.arange(height, device=box.device), torch.arange(width, device=box.device)
    rows, columns = (y >= top) & (y < bottom), (x >= left) & (x < right)  # (N, H), (N, W)
    return (rows[:, :, None] & columns[:, None, :])[:, None]
