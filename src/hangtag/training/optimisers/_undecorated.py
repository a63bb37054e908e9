"""PyTorch's optimisers without the compiler they bring along.

In torch 2.10 to 2.13 the first call of an optimiser's method imports `torch._dynamo`, which nothing here uses, so that
`torch.compile` may see through it: 1.1 s and 72 MB of every run on the machine docs/log.md describes, and some 0.1 ms a
step. The methods lie bare under their decorators, and are used so here. Where they do not, nothing is changed.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

_Kind = TypeVar("_Kind", bound=type[Optimizer])


def undecorated(kind: _Kind) -> _Kind:
    """`kind`, whose methods are those of the same name without their decorators; steps take no closure."""
    bare: dict[str, Any] = {
        name: getattr(getattr(Optimizer, name), "__wrapped__", getattr(Optimizer, name))
        for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    }
    step = getattr(kind.step, "__wrapped__", None)
    if step is not None:

        def without_gradients(self: Optimizer) -> None:
            with torch.no_grad():
                step(self)

        without_gradients.hooked = True  # type: ignore[attr-defined]  # else PyTorch wraps it for its profiler
        bare["step"] = without_gradients
    return type(kind.__name__, (kind,), bare)  # type: ignore[return-value]
