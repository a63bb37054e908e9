"""3x3 convolutions with fewer multiplications, a quarter over large maps: Winograd's minimal filtering F(4x4, 3x3).

In float32, where a processor has no matrix tiles, convolutions are nearly all of a step of training, and PyTorch's run
close to what it can multiply. This multiplies less: forward and both gradients take half of PyTorch's time
(docs/log.md). Sums in another order and of rounded transforms are off by up to 5e-5 of the largest number, where
PyTorch's are by 1e-5 and bfloat16 by 1e-2.

Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hangtag.models import _kernels

CHANNELS = 32  # on either side are multiples of it
PIXELS = 3  # of what comes out along a side, at least: of fewer most of a tile would be thrown away
# Lavin & Gray, section 4.3: what the three weights along one side are transformed by, 24 times.
_SIDE = ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24))


def transform_of(kind: torch.dtype) -> Tensor:
    """(36, 9): from the weights of a filter to its 36 numbers."""
    side = torch.tensor(_SIDE, dtype=torch.float64) / 24
    return torch.kron(side, side).to(kind)


_TRANSFORM = transform_of(torch.float32)


def kernels_for(images: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> _kernels.Kernels | None:
    """The kernels, if this convolution of stride 1 is one that they make quicker: 3x3, in float32."""
    if not (
        not torch.is_autocast_enabled("cpu")
        and images.dim() == 4
        and images.dtype == weight.dtype == torch.float32
        and weight.shape[2:] == (3, 3)
        and 0 <= padding <= 1
        and images.shape[1] == weight.shape[1]
        and images.shape[1] % CHANNELS == 0
        and weight.shape[0] % CHANNELS == 0
        and min(images.shape[2:]) + 2 * padding - 2 >= PIXELS
        and len(images) > 0
        and images.is_contiguous(memory_format=torch.channels_last)
        and _kernels.supports(images)
        and _kernels.supports(weight)
        and (bias is None or (bias.dtype == torch.float32 and bias.device == weight.device))
    ):
        return None
    return _kernels.load()


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, kernels: _kernels.Kernels) -> Tensor:
    """`torch.conv2d` of what `kernels_for` has found to be worth it, with its gradients."""
    out: Tensor = _Winograd.apply(images, weight, bias, padding, kernels)  # type: ignore[no-untyped-call]
    return out


def seen(images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, kernels: _kernels.Kernels) -> Tensor:
    """The same without gradients."""
    count, channels = weight.shape[:2]
    bias = weight.new_zeros(count) if bias is None else bias.contiguous()
    laid = weight.permute(2, 3, 0, 1).reshape(9, count // kernels.pair, kernels.pair, channels).transpose(2, 3)
    filters = _TRANSFORM @ laid.reshape(9, -1)
    return kernels.winograd(images, filters, bias, padding)


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, padding: int, kernels: _kernels.Kernels
    ) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.padding, ctx.kernels = padding, kernels
        return seen(images, weight, bias, padding, kernels)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        padding, kernels = ctx.padding, ctx.kernels
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        count, channels = weight.shape[:2]
        of_images = of_weight = of_bias = None
        with torch.autocast("cpu", enabled=False):  # whatever is asked of others: the loops take float32
            if ctx.needs_input_grad[0]:
                # The gradient convolved with the filters the other way round: their nine weights last to first.
                laid = weight.permute(2, 3, 0, 1).reshape(9, count, channels // kernels.pair, kernels.pair)
                filters = _TRANSFORM.flip(1) @ laid.transpose(1, 2).reshape(9, -1)
                of_images = kernels.winograd(gradient, filters, weight.new_zeros(channels), 2 - padding)
            if ctx.needs_input_grad[1]:
                sums = _TRANSFORM.t() @ kernels.winograd_weights(images, gradient, padding).view(36, -1)
                blocks = sums.view(3, 3, channels // CHANNELS, count // CHANNELS, CHANNELS, CHANNELS)
                of_weight = blocks.permute(3, 5, 0, 1, 2, 4).reshape(count, 3, 3, channels).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_images, of_weight, of_bias, None, None
