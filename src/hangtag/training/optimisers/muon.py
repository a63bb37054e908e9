"""Muon: each hidden layer's momentum is made orthogonal before it is applied, so that all directions move alike.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", kellerjordan.github.io; the steps
over small matrices: Zhang, Amsel, Chen & Dao 2026, "Gram Newton-Schulz", dao-lab.ai/blog/2026/gram-newton-schulz.
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
    """(..., R, C) -> the same, with all singular values near 1 and the singular vectors kept: U V' for U S V'.

    Each step multiplies x from the left by a polynomial of x x'. In float32 these small (R, R) matrices alone take the
    steps, and the long one is multiplied once: the same but for rounding, in a third of the time where C is 9 R. In
    bfloat16, as in the source and whatever precision the network computes in, the result is about 1% off that of
    float32, in a sixth of the time on AMX; there x itself takes every step, for x x' would keep too little of it.
    """
    a, b, c = _NEWTON_SCHULZ
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    if bf16:
        x = x.bfloat16()
    product = torch.addmm if x.ndim == 2 else torch.baddbmm

    def polynomial(gram: Tensor) -> Tensor:  # b x x' + c (x x')^2
        worth: Tensor = product(gram, gram, gram, beta=b, alpha=c)
        return worth

    if bf16 or x.shape[-1] < 2 * x.shape[-2]:  # nearly square: nothing to be saved
        for _ in range(steps):
            x = product(x, polynomial(x @ x.mT), x, beta=a)
    else:
        gram = x @ x.mT
        unchanged = a * torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
        so_far = factor = polynomial(gram) + unchanged
        for _ in range(steps - 1):
            gram = factor @ gram @ factor
            factor = polynomial(gram) + unchanged
            so_far = factor @ so_far
        x = so_far @ x
    x = x.to(matrix.dtype)
    result: Tensor = x.mT if tall else x
    return result


class Muon(Optimizer):
    """Groups with `hidden` true move by orthogonal momentum, the others by AdamW."""

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "momentum": 0.0, "hidden": False})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient. Closures are not called."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            moves = (self._hidden if group["hidden"] else self._rest)(parameters, group)
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(parameters, moves, alpha=-group["lr"])

    def _hidden(self, parameters: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        gradients = [_gradient(parameter) for parameter in parameters]
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        looking_ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
        matrices = [ahead.flatten(1) for ahead in looking_ahead]
        # An accelerator waits for whoever launches many small products.
        moves = orthogonal_moves(matrices, together=matrices[0].device.type != "cpu")
        return [move.view(parameter.shape) for move, parameter in zip(moves, parameters, strict=True)]

    def _rest(self, parameters: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        gradients = [_gradient(parameter) for parameter in parameters]
        states = [self.state[parameter] for parameter in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            if not state:
                state |= {"step": 0, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
            state["step"] += 1
        means, squares = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
        torch._foreach_lerp_(means, gradients, 1 - _BETAS[0])
        torch._foreach_lerp_(squares, torch._foreach_mul(gradients, gradients), 1 - _BETAS[1])
        spreads = torch._foreach_div(squares, [1 - _BETAS[1] ** state["step"] for state in states])
        torch._foreach_sqrt_(spreads)
        torch._foreach_add_(spreads, _EPSILON)
        moves = torch._foreach_div(means, [1 - _BETAS[0] ** state["step"] for state in states])
        torch._foreach_div_(moves, spreads)
        return list(moves)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def orthogonal_moves(matrices: list[Tensor], *, together: bool) -> list[Tensor]:
    """Each made orthogonal and scaled by its shape; with `together` those of one shape as one product."""
    alike: dict[Any, list[int]] = {}
    for place, matrix in enumerate(matrices):
        alike.setdefault(matrix.shape if together else place, []).append(place)
    moves: list[Tensor] = [matrices[0]] * len(matrices)
    for places in alike.values():
        rows, columns = matrices[places[0]].shape
        bf16 = rows * columns >= _LARGE and fast_bf16(matrices[places[0]].device)
        scale = max(1, rows / columns) ** 0.5  # a tall matrix spreads the same move over more outputs
        if len(places) == 1:
            moves[places[0]] = orthogonalised(matrices[places[0]], bf16=bf16).mul(scale)
            continue
        moved = orthogonalised(torch.stack([matrices[place] for place in places]), bf16=bf16).mul(scale)
        for place, move in zip(places, moved.unbind(), strict=True):
            moves[place] = move
    return moves


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
