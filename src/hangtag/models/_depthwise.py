"""A depthwise convolution whose gradients do not take three times as long as all else it does.

PyTorch's (oneDNN's) take a path of their own where maps are small and filters large: on a processor a quarter of a step
of EfficientNet, for a fiftieth of its arithmetic (docs/log.md). In float32 they are `_kernels`' here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d, pad

from hangtag.models import _kernels

CHANNELS = 16  # the loops take so many at a time
MOST = 11  # pixels along a side of the largest filter they have room for


class DepthwiseConv2d(nn.Conv2d):
    """One filter per map, zeros around it, for square maps. On those smaller than it, only taps that meet pixels count.

    Args:
        channels: maps, in and out.
        kernel: pixels along a filter's side, odd.
        stride: in both directions.
        tensorflow: pad as TensorFlow does, which with a stride lays the odd row of zeros at the end.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1, *, tensorflow: bool = False) -> None:
        self.symmetric = not tensorflow or stride == 1
        padding = kernel // 2 if self.symmetric else 0
        super().__init__(channels, channels, kernel, stride, padding, groups=channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))
        stride, (first, last) = self.stride[0], self._padded(maps.shape[2])
        if torch.onnx.is_in_onnx_export():  # the plain form of the same sum: a served graph needs no detour of ours
            return super().forward(maps if self.symmetric else pad(maps, (first, last, first, last)))
        if (kernels := self._worth_it(maps)) is None:
            return _filtered(maps, self.weight, stride, first, last)
        arguments = (maps, self.weight, stride, first, last, kernels)
        out: Tensor = _Depthwise.apply(*arguments)  # type: ignore[no-untyped-call]
        return out

    def _padded(self, side: int) -> tuple[int, int]:
        """Zeros before and after."""
        kernel = self.kernel_size[0]
        return (kernel // 2, kernel // 2) if self.symmetric else same(side, kernel, self.stride[0])

    def _worth_it(self, maps: Tensor) -> _kernels.Kernels | None:
        if not (
            torch.is_grad_enabled()
            and not torch.is_autocast_enabled("cpu")
            and maps.dim() == 4
            and maps.shape[2] == maps.shape[3]
            and maps.dtype == self.weight.dtype == torch.float32
            and maps.requires_grad
            and self.weight.requires_grad
            and self.in_channels % CHANNELS == 0
            and self.kernel_size[0] <= MOST
            and maps.is_contiguous(memory_format=torch.channels_last)
            and _kernels.supports(maps)
            and _kernels.supports(self.weight)
        ):
            return None
        return _kernels.load()


def same(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after `side` pixels of which TensorFlow's "same" padding makes `ceil(side / stride)`."""
    side = int(side)  # the exporter brings a tensor, and would round its division another way
    zeros = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return zeros // 2, zeros - zeros // 2


def _filtered(maps: Tensor, weight: Tensor, stride: int, first: int, last: int) -> Tensor:
    side, radius = max(maps.shape[2:]), weight.shape[2] // 2
    if (first, last) != (radius, radius):
        return conv2d(pad(maps, (first, last, first, last)), weight, None, stride, 0, 1, len(weight))
    reach = min(radius, side - 1)  # a tap further out than this sees padding alone, wherever the filter stands
    taps = slice(radius - reach, radius + reach + 1)
    # Padded by hand: oneDNN takes a reference path where padding is about as large as the map (11 ms against 1.6).
    padded = pad(maps, [reach] * 4) if side == 2 else maps
    padding = 0 if side == 2 else reach
    return conv2d(padded, weight[:, :, taps, taps], None, stride, padding, 1, len(weight))


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, stride: int, first: int, last: int, kernels: _kernels.Kernels
    ) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.stride, ctx.first, ctx.kernels = stride, first, kernels
        return _filtered(maps, weight, stride, first, last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        maps, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_maps, of_weight = ctx.kernels.depthwise_gradients(gradient, maps, weight, ctx.stride, ctx.first)
        return of_maps, of_weight, None, None, None, None
