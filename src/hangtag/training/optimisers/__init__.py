"""Optimisers, one per file: functions `(model, *, lr=..., options...) -> torch.optim.Optimizer`.

The optimiser's `state_dict` holds tensors and numbers only, so that checkpoints need no pickle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hangtag.core.registry import Registry

if TYPE_CHECKING:
    from torch.optim import Optimizer

register: Registry[Callable[..., Optimizer | Any]] = Registry("optimiser", __name__)
