"""Adam with weight decay apart from the gradient, so that every weight decays alike.

Source: Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2.
"""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW, Optimizer

from hangtag.training.optimisers import register
from hangtag.training.optimisers._groups import check_fraction, keeping_layout, parameter_groups
from hangtag.training.optimisers._undecorated import undecorated


@register("adamw")
def adamw(
    model: nn.Module, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, weight_decay: float = 0.01
) -> Optimizer:
    """AdamW over the model's parameters.

    Args:
        model: whose parameters are to move.
        lr: peak rate.
        beta1: how much of the running mean of gradients is kept per step, in [0, 1).
        beta2: the same for their squares.
        weight_decay: share of each weight taken off per step, times the rate; biases and norms keep theirs.
    """
    check_fraction("beta1", beta1)
    check_fraction("beta2", beta2)
    groups = parameter_groups(model, lr, weight_decay)
    return keeping_layout(undecorated(AdamW)(groups, lr=lr, betas=(beta1, beta2), fused=True))
