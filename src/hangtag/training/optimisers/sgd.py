"""Stochastic gradient descent with momentum, Nesterov's by default.

Source: Sutskever et al. 2013; `norm_bias_lr_scale` as in airbench (Jordan 2024, arXiv 2404.00498, section 3.4), which
moves the biases of batch norms 64 times faster.
"""

from __future__ import annotations

from torch import nn
from torch.optim import SGD, Optimizer

from hangtag.core.errors import HangtagError
from hangtag.training.optimisers import register
from hangtag.training.optimisers._groups import check_fraction, keeping_layout, parameter_groups
from hangtag.training.optimisers._undecorated import undecorated


@register("sgd")
def sgd(
    model: nn.Module,
    *,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = True,
    weight_decay: float = 0.0,
    norm_bias_lr_scale: float = 1.0,
) -> Optimizer:
    """SGD over the model's parameters.

    Args:
        model: whose parameters are to move.
        lr: peak rate.
        momentum: share of the last move kept, in [0, 1).
        nesterov: look ahead along the move; needs momentum.
        weight_decay: L2 penalty added to the gradient of weights; biases and norms have none.
        norm_bias_lr_scale: how much faster the biases of norms move.
    """
    check_fraction("momentum", momentum)
    if nesterov and momentum == 0:
        raise HangtagError("usage_value", "nesterov needs momentum above 0: set momentum, or nesterov=false")
    groups = parameter_groups(model, lr, weight_decay, norm_bias_lr_scale)
    return keeping_layout(undecorated(SGD)(groups, lr=lr, momentum=momentum, nesterov=nesterov, fused=True))
