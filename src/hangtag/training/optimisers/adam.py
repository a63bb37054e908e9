"""Adam: steps scaled by running means of the gradient and of its square.

Source: Kingma & Ba 2015, arXiv 1412.6980. Keras adds its epsilon elsewhere and has 1e-7 for it; PyTorch's 1e-8 is kept.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Adam, Optimizer

from hangtag.training.optimisers import register
from hangtag.training.optimisers._groups import check_fraction, keeping_layout, parameter_groups
from hangtag.training.optimisers._undecorated import undecorated


@register("adam")
def adam(
    model: nn.Module, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, weight_decay: float = 0.0
) -> Optimizer:
    """Adam over the model's parameters.

    Args:
        model: whose parameters are to move.
        lr: peak rate.
        beta1: how much of the running mean of gradients is kept per step, in [0, 1).
        beta2: the same for their squares.
        weight_decay: L2 penalty added to the gradient of weights (`adamw` decays apart from it).
    """
    check_fraction("beta1", beta1)
    check_fraction("beta2", beta2)
    groups = parameter_groups(model, lr, weight_decay)
    return keeping_layout(undecorated(Adam)(groups, lr=lr, betas=(beta1, beta2), fused=True))
