"""A model's weights and buffers by name, set apart from the model."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def copied(model: nn.Module) -> dict[str, Tensor]:
    """A copy of every weight and buffer."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def floating(state: dict[str, Tensor]) -> list[str]:
    """Names of what can be averaged; batch norm also counts batches, in whole numbers."""
    return [name for name, value in state.items() if value.is_floating_point()]


@torch.no_grad()
def take_up(state: dict[str, Tensor], new: dict[str, Tensor]) -> None:
    """Copy `new` over the entries of `state` with the same names, in place.

    Raises:
        KeyError: if `state` lacks one of them.
    """
    for name, value in new.items():
        state[name].copy_(value)
