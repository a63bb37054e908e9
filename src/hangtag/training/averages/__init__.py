"""Weight averaging, one method per file: a running average of the weights is what validation sees and what is kept.

An average is a class `(model, *, options...)` with `update(model, step, done)` after each optimiser step (it may also
move the model's own weights, as lookahead does), `weights() -> dict[str, Tensor]` (a full state dict of the average),
and `state() / load(state)` of plain tensors by name for checkpoints. Buffers (batch-norm statistics) are averaged or
copied too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hangtag.core.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn


class Average(Protocol):
    """See the module's text."""

    def update(self, model: nn.Module, step: int, done: float) -> None:
        """Take in the weights after optimiser step `step` (from 0), with `done` in (0, 1] of the run behind it."""
        ...

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights and buffers, under the model's own names."""
        ...

    def state(self) -> dict[str, Tensor]:
        """All it must remember."""
        ...

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave."""
        ...


register: Registry[type[Average]] = Registry("average", __name__)
