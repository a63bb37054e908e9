"""Muon: each hidden layer's momentum is made orthogonal before it is applied, so that all directions move alike.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", kellerjordan.github.io.
PyTorch's own Muon takes matrices only; here filters are flattened to (filters, rest), as in the source's CIFAR-10
runs. The first and the last layer, depthwise filters, biases and norms are moved by AdamW, as the source advises.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hangtag.core.errors import HangtagError
from hangtag.training.machine import fast_bf16
from hangtag.training.optimisers import register
from hangtag.training.optimisers._groups import check_fraction, keeping_layout, parameter_groups
from hangtag.training.optimisers._undecorated import undecorated

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # a steep start: singular values end within about 0.7..1.2, which is enough
_BETAS, _EPSILON = (0.9, 0.999), 1e-8
_LARGE = 1 << 16  # numbers: smaller matrices are done before bfloat16 pays for its conversions


def orthogonalised(matrix: Tensor, steps: int = 5, *, bf16: bool = False) -> Tensor:
    """(R, C) -> (R, C) with all singular values near 1 and the singular vectors kept: U V' for U S V'.

    In bfloat16, as in the source and whatever precision the network computes in, the result is about 1% off that of
    float32, in a sixth of the time on AMX.
    """
    a, b, c = _NEWTON_SCHULZ
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    if bf16:
        x = x.bfloat16()
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(matrix.dtype)
    result: Tensor = x.T if matrix.shape[0] > matrix.shape[1] else x
    return result


class Muon(Optimizer):
    """Groups with `hidden` true move by orthogonal momentum, the others by AdamW."""

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "momentum": 0.0, "hidden": False})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient. Closures are not called."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    move = self._hidden if group["hidden"] else self._rest
                    parameter.sub_(group["lr"] * move(parameter, group))

    def _hidden(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        momentum = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        matrix = gradient.lerp(momentum, group["momentum"]).flatten(1)  # Nesterov's look ahead
        rows, columns = matrix.shape
        scale = max(1, rows / columns) ** 0.5  # a tall matrix spreads the same move over more outputs
        bf16 = matrix.numel() >= _LARGE and fast_bf16(matrix.device)
        return orthogonalised(matrix, bf16=bf16).mul(scale).view(parameter.shape)

    def _rest(self, parameter: Tensor, group: dict[str, Any]) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state |= {"step": 0, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
        state["step"] += 1
        mean = state["exp_avg"].lerp_(gradient, 1 - _BETAS[0]) / (1 - _BETAS[0] ** state["step"])
        square = state["exp_avg_sq"].lerp_(gradient.square(), 1 - _BETAS[1]) / (1 - _BETAS[1] ** state["step"])
        move: Tensor = mean / (square.sqrt() + _EPSILON)
        return move


@register("muon")
def muon(
    model: nn.Module,
    *,
    lr: float = 0.02,
    rest_lr: float = 1e-3,
    momentum: float = 0.95,
    weight_decay: float = 0.01,
) -> Optimizer:
    """Muon over the model's hidden weights, AdamW over everything else.

    Args:
        model: whose parameters are to move.
        lr: peak rate of hidden weights: how far every direction moves per step.
        rest_lr: peak rate of all else.
        momentum: share of the running mean of gradients kept, in [0, 1).
        weight_decay: share of each weight taken off per step, times the rate; biases and norms keep theirs.

    Raises:
        HangtagError: `usage_value`; also for a model without hidden layers.
    """
    check_fraction("momentum", momentum)
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad and parameter.ndim >= 2]
    hidden = {id(p) for p in weights[1:-1] if p[0].numel() > 1 and not (p.ndim == 4 and p.shape[1] == 1)}
    if not hidden:
        raise HangtagError("usage_value", "muon moves hidden layers and this model has none: use adamw")
    groups: list[dict[str, Any]] = []
    for group in parameter_groups(model, rest_lr, weight_decay):
        rest = [p for p in group["params"] if id(p) not in hidden]
        if rest:
            groups.append({**group, "params": rest})
    weights_group = parameter_groups(model, lr, weight_decay)[0]
    moved = [p for p in weights_group["params"] if id(p) in hidden]
    groups.append({**weights_group, "params": moved, "momentum": momentum, "hidden": True})
    return keeping_layout(undecorated(Muon)(groups, lr))
