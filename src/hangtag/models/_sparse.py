"""A convolution with ReLU after it, with or without 2x2 max-pooling, whose gradients leave out what these made zero.

ReLU lets half of a map's gradients through, pooling one in four of those; PyTorch's convolution multiplies the zeros
too. In float32, where convolutions are nearly all of a step, the gradients take a third of the time (docs/log.md).
Matrix tiles are quicker still: in bfloat16, and wherever `_kernels` cannot help, it is PyTorch's layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hangtag.models import _kernels, _winograd
from hangtag.models._convolution import Conv2d
from hangtag.models._rectified import MaxPool2d, ReLU

CHANNELS = 32  # the loops take so many at a time


class RectifiedConv2d(Conv2d):
    """An unpadded `torch.nn.Conv2d`, under whose names its weights are kept, 2x2 max-pooling if asked for, and ReLU."""

    def __init__(self, in_channels: int, filters: int, kernel: int, *, pool: bool = False) -> None:
        super().__init__(in_channels, filters, kernel)
        self.after: nn.Module = MaxPool2d(relu=True) if pool else ReLU()
        self.pool = pool

    def forward(self, input: Tensor) -> Tensor:  # (N, C, H, W) -> (N, F, h, w)
        if (kernels := self._worth_it(input)) is None:
            seen: Tensor = self.after(super().forward(input))
            return seen
        seen = _Rectified.apply(input, self.weight, self.bias, self.pool, kernels)  # type: ignore[no-untyped-call]
        return seen

    def _worth_it(self, input: Tensor) -> _kernels.Kernels | None:
        if not (
            self.training
            and torch.is_grad_enabled()
            and not torch.is_autocast_enabled("cpu")
            and input.dim() == 4
            and input.dtype == self.weight.dtype == torch.float32
            and input.shape[1] == self.in_channels
            and input.shape[1] % CHANNELS == 0
            and min(input.shape[2:]) >= 4
            and input.is_contiguous(memory_format=torch.channels_last)
            and self.kernel_size == (3, 3)
            and self.bias is not None
            and self.bias.dtype == torch.float32
            and self.weight.requires_grad
            and self.bias.requires_grad
            and _kernels.supports(input)
            and _kernels.supports(self.weight)
        ):
            return None
        return _kernels.load()


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, pool: bool, kernels: _kernels.Kernels
    ) -> Tensor:
        if _winograd.kernels_for(images, weight, bias, 0):
            maps = _winograd.seen(images, weight, bias, 0, kernels)
        else:
            maps = torch.conv2d(images, weight, bias)
            maps = maps.contiguous(memory_format=torch.channels_last)
        if pool:
            n, count, height, width = maps.shape
            out = torch.empty_like(maps[:, :, : height // 2, : width // 2], memory_format=torch.channels_last)
            winner = torch.empty(n, height // 2, width // 2, count, dtype=torch.uint8, device=maps.device)
            kernels.pool(maps, out, winner, relu=True)
        else:
            out = maps
            kernels.relu(out)
            winner = (out <= 0).view(torch.uint8).mul_(4).permute(0, 2, 3, 1)  # 4: nothing came through
        ctx.save_for_backward(images, weight, winner)
        ctx.kernels = kernels
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None, None]:
        images, weight, winner = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_images, of_weight, of_bias = ctx.kernels.sparse_gradients(
            gradient, winner, images, weight, of_images=ctx.needs_input_grad[0]
        )
        return of_images, of_weight, of_bias, None, None
