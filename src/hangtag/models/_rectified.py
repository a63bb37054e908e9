"""ReLU and 2 x 2 max-pooling that train quickly on a processor: PyTorch's layers, PyTorch's numbers (0 for -0).

Where `_kernels` cannot help (other devices, other layouts, no compiler, judging, export) they are PyTorch's own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from hangtag.models import _kernels

WORTH_IT = 1 << 15  # numbers: below that the call itself takes longer
CHANNELS = 32  # the loops run along channels: 16 do not fill a vector, and cost lenet5 a tenth of a step


class ReLU(nn.ReLU):
    """`torch.nn.ReLU(inplace=True)`."""

    def __init__(self) -> None:
        super().__init__(inplace=True)

    def forward(self, input: Tensor) -> Tensor:
        dense = input.is_contiguous() or (input.dim() == 4 and input.is_contiguous(memory_format=torch.channels_last))
        if not dense or (kernels := _worth_it(self, input)) is None:
            return super().forward(input)
        rectified: Tensor = _ReLU.apply(input, kernels)  # type: ignore[no-untyped-call]
        return rectified


class MaxPool2d(nn.Module):
    """`torch.nn.MaxPool2d(2)`, with or without a ReLU after it: the maximum of what is above zero."""

    def __init__(self, *, relu: bool = False) -> None:
        super().__init__()
        self.relu = relu

    def extra_repr(self) -> str:
        return f"2, relu={self.relu}"

    def forward(self, input: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H // 2, W // 2)
        fits = (
            input.dim() == 4
            and input.shape[1] >= CHANNELS
            and min(input.shape[2:]) >= 2  # PyTorch says what is wrong with less
            and input.is_contiguous(memory_format=torch.channels_last)
        )
        if not fits or (kernels := _worth_it(self, input)) is None:
            pooled = functional.max_pool2d(input, 2)
            return functional.relu_(pooled) if self.relu else pooled
        result: Tensor = _MaxPool2d.apply(input, self.relu, kernels)  # type: ignore[no-untyped-call]
        return result


def _worth_it(layer: nn.Module, input: Tensor) -> _kernels.Kernels | None:
    """The kernels, if this is a step of training that they make quicker."""
    if not (layer.training and input.requires_grad and input.numel() >= WORTH_IT and _kernels.supports(input)):
        return None
    return _kernels.load()


class _ReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, numbers: Tensor, kernels: _kernels.Kernels) -> Tensor:
        kernels.relu(numbers)
        ctx.mark_dirty(numbers)
        ctx.save_for_backward(numbers)
        ctx.kernels = kernels
        return numbers

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (out,) = ctx.saved_tensors
        to = torch.empty_like(out)  # of the same layout
        if gradient.stride() != out.stride() or gradient.dtype != out.dtype:
            gradient = torch.empty_like(out).copy_(gradient)
        ctx.kernels.relu_gradient(gradient, out, to)
        return to, None


class _MaxPool2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, relu: bool, kernels: _kernels.Kernels) -> Tensor:
        n, channels, height, width = maps.shape
        out = torch.empty_like(maps[:, :, : height // 2, : width // 2], memory_format=torch.channels_last)
        winner = torch.empty(n, height // 2, width // 2, channels, dtype=torch.uint8, device=maps.device)
        kernels.pool(maps, out, winner, relu=relu)
        ctx.save_for_backward(winner)
        ctx.shape, ctx.kernels = maps.shape, kernels
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (winner,) = ctx.saved_tensors
        to = torch.empty(ctx.shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last)
        ctx.kernels.pool_gradient(gradient.contiguous(memory_format=torch.channels_last), winner, to)
        return to, None, None
