"""Exponential moving average of the weights.

Source: Polyak & Juditsky 1992; the decay grows in as in TensorFlow's ExponentialMovingAverage(num_updates), so that the
random first weights are soon forgotten.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.training.averages import register
from hangtag.training.averages._state import copied, floating, take_up


@register("ema")
class ExponentialMovingAverage:
    """Weights and batch-norm statistics, averaged; counters copied.

    Args:
        model: whose weights are averaged.
        decay: share of the average kept per step of the optimiser, in [0, 1); 0.999 remembers about 1,000 steps.
        every: steps between updates.
    """

    def __init__(self, model: nn.Module, *, decay: float = 0.999, every: int = 1) -> None:
        if not 0 <= decay < 1:
            raise HangtagError("usage_value", f"ema.decay should be in [0, 1), not {decay}")
        if every < 1:
            raise HangtagError("usage_value", f"ema.every should be 1 or more, not {every}")
        self.decay = decay
        self.every = every
        self.average = copied(model)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int, done: float) -> None:
        """Take in the weights after optimiser step `step` (from 0)."""
        if (step + 1) % self.every and done < 1:
            return
        updates = step // self.every
        decay = min(self.decay**self.every, (1 + updates) / (10 + updates))
        live = model.state_dict()
        names = floating(live)
        torch._foreach_lerp_([self.average[name] for name in names], [live[name] for name in names], 1 - decay)
        take_up(self.average, {name: value for name, value in live.items() if name not in names})

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights and buffers, under the model's own names."""
        return self.average

    def state(self) -> dict[str, Tensor]:
        """The average is all there is to remember."""
        return self.average

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave."""
        take_up(self.average, state)
