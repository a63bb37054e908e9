"""Which parameters are decayed and how fast each kind moves, and loading that respects memory layout."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from hangtag.core.errors import HangtagError

_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


def parameter_groups(
    model: nn.Module, lr: float, weight_decay: float, norm_bias_lr_scale: float = 1.0
) -> list[dict[str, Any]]:
    """The model's trainable parameters as groups: weights; biases and norms; norm biases, if their rate is another.

    Only weights are decayed: a bias or a norm's scale has no size to keep small (He et al. 2019, arXiv 1812.01187,
    section 3.1).
    Every group keeps its peak rate as `initial_lr`, which a schedule multiplies.

    Raises:
        HangtagError: `usage_value`, for rates and decays no run could use.
    """
    for name, value in (("lr", lr), ("norm_bias_lr_scale", norm_bias_lr_scale)):
        if not 0 < value < math.inf:
            raise HangtagError("usage_value", f"{name} should be above 0, not {value}")
    if not 0 <= weight_decay < math.inf:
        raise HangtagError("usage_value", f"weight_decay should be 0 or more, not {weight_decay}")
    fast = set()
    if norm_bias_lr_scale != 1:
        fast = {id(module.bias) for module in model.modules() if isinstance(module, _NORMS) and hasattr(module, "bias")}
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    kinds = [
        ([p for p in trainable if p.ndim >= 2], lr, weight_decay),
        ([p for p in trainable if p.ndim < 2 and id(p) not in fast], lr, 0.0),
        ([p for p in trainable if p.ndim < 2 and id(p) in fast], lr * norm_bias_lr_scale, 0.0),
    ]
    return [
        {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
        for parameters, rate, decay in kinds
        if parameters
    ]


def check_fraction(where: str, value: float) -> None:
    """Refuse a decay rate outside [0, 1).

    Raises:
        HangtagError: `usage_value`.
    """
    if not 0 <= value < 1:
        raise HangtagError("usage_value", f"{where} should be in [0, 1), not {value}")


def keeping_layout(optimiser: Optimizer) -> Optimizer:
    """The optimiser, whose loaded state is laid out in memory as its parameters are.

    Fused kernels walk parameter and state side by side in memory. A checkpoint keeps state row by row; beside a
    channels_last parameter it would be read in the wrong order, silently.
    """

    def lay_out(loaded: Optimizer) -> None:
        for parameter, state in loaded.state.items():
            for name, value in state.items():
                if isinstance(value, torch.Tensor) and value.shape == parameter.shape and value.ndim:
                    state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)

    optimiser.register_load_state_dict_post_hook(lay_out)
    return optimiser
