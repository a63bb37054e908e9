"""RMSprop: steps scaled by a running mean of the squared gradient.

Source: Tieleman & Hinton 2012, Coursera lecture 6.5. PyTorch has no fused kernel for it; foreach is the next best.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer, RMSprop

from hangtag.training.optimisers import register
from hangtag.training.optimisers._groups import check_fraction, keeping_layout, parameter_groups
from hangtag.training.optimisers._undecorated import undecorated


@register("rmsprop")
def rmsprop(
    model: nn.Module, *, lr: float = 1e-3, smoothing: float = 0.9, momentum: float = 0.0, weight_decay: float = 0.0
) -> Optimizer:
    """RMSprop over the model's parameters.

    Args:
        model: whose parameters are to move.
        lr: peak rate.
        smoothing: how much of the running mean of squares is kept per step, in [0, 1).
        momentum: share of the last move kept, in [0, 1).
        weight_decay: L2 penalty added to the gradient of weights; biases and norms have none.
    """
    check_fraction("smoothing", smoothing)
    check_fraction("momentum", momentum)
    groups = parameter_groups(model, lr, weight_decay)
    return keeping_layout(undecorated(RMSprop)(groups, lr=lr, alpha=smoothing, momentum=momentum, foreach=True))
