"""Lookahead: slow weights follow the fast ones, and every few steps the fast ones start again from the slow.

Source: Zhang et al. 2019, arXiv 1907.08610, in the form of airbench (Jordan 2024, arXiv 2404.00498, section 3.4): the
slow weights hold back more and more, by decay ** every * done ** 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.training.averages import register
from hangtag.training.averages._state import copied, floating, take_up


@register("lookahead")
class Lookahead:
    """Slow weights; batch-norm statistics are slowed with them.

    Args:
        model: whose weights are slowed; `update` moves them.
        every: steps of the optimiser between meetings of slow and fast.
        decay: share of the slow weights kept per step at the end of training, in [0, 1).
    """

    def __init__(self, model: nn.Module, *, every: int = 5, decay: float = 0.95) -> None:
        if not 0 <= decay < 1:
            raise HangtagError("usage_value", f"lookahead.decay should be in [0, 1), not {decay}")
        if every < 1:
            raise HangtagError("usage_value", f"lookahead.every should be 1 or more, not {every}")
        self.every = every
        self.decay = decay
        self.slow = copied(model)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int, done: float) -> None:
        """Let slow and fast meet after every few steps, and after the last."""
        if (step + 1) % self.every and done < 1:
            return
        kept = self.decay**self.every * done**3
        fast = model.state_dict()
        names = floating(fast)
        slow = [self.slow[name] for name in names]
        torch._foreach_lerp_(slow, [fast[name] for name in names], 1 - kept)
        torch._foreach_copy_([fast[name] for name in names], slow)
        take_up(self.slow, {name: value for name, value in fast.items() if name not in names})

    def weights(self) -> dict[str, Tensor]:
        """The slow weights and buffers, under the model's own names."""
        return self.slow

    def state(self) -> dict[str, Tensor]:
        """The slow weights are all there is to remember; the fast ones are the model's."""
        return self.slow

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave."""
        take_up(self.slow, state)
