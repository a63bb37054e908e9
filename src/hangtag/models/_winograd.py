"""3x3 convolutions with fewer multiplications, a fifth over large maps: Winograd's minimal filtering.

In float32, where a processor has no matrix tiles, convolutions are nearly all of a step of training, and PyTorch's run
close to what it can multiply. This multiplies less: forward and both gradients take a quarter to a half of its time
(docs/log.md). Sums in another order and of rounded transforms are off by up to 3e-4 of the largest number, where
PyTorch's are by 1e-5, bfloat16 by 1e-2 and the float32 of GPUs (TF32) by 1e-3.

Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308; where points should
lie: Barabasz et al. 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks",
arXiv 1803.10986.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hangtag.models import _kernels

CHANNELS = 32  # on either side are multiples of it
PIXELS = 3  # of what comes out along a side, at least: of fewer most of a tile would be thrown away
# By pixels along a tile's side: where its polynomials are asked what they are worth; and at infinity (_winograd.c).
_POINTS = {3: (0, 1, -1, 0.5), 4: (0, 1, -1, 2, -2), 7: (0, 0.5, -0.5, 1, -1, 1.5, -1.5, 4)}


def tile_for(height: int, width: int) -> int:
    """Pixels along the side of the tiles with which maps of this size want the fewest multiplications."""
    return min(_POINTS, key=lambda side: math.ceil(height / side) * math.ceil(width / side) * (side + 2) ** 2)


@functools.cache
def transform(tile: int) -> Tensor:
    """((tile + 2)^2, 9): from the weights of a filter to the numbers that multiply its tiles, float32.

    Along one side they are the weights, read as a polynomial, at each point, over what is left of the product of the
    distances to all others; the last weight at infinity.
    """
    points = torch.tensor(_POINTS[tile], dtype=torch.float64)
    apart = points[:, None] - points
    apart.fill_diagonal_(1)
    side = torch.stack([torch.ones_like(points), points, points**2], dim=1) / apart.prod(1, keepdim=True)
    side = torch.cat([side, torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)])
    return torch.kron(side, side).float()


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
    filters = transform(tile_for(*(side + 2 * padding - 2 for side in images.shape[2:]))) @ laid.reshape(9, -1)
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
                filters = transform(tile_for(*images.shape[2:])).flip(1) @ laid.transpose(1, 2).reshape(9, -1)
                of_images = kernels.winograd(gradient, filters, weight.new_zeros(channels), 2 - padding)
            if ctx.needs_input_grad[1]:
                tile = tile_for(*gradient.shape[2:])
                sums = kernels.winograd_weights(images, gradient, padding, tile)
                sums = transform(tile).t() @ sums.flatten(1)
                blocks = sums.view(3, 3, channels // CHANNELS, count // CHANNELS, CHANNELS, CHANNELS)
                of_weight = blocks.permute(3, 5, 0, 1, 2, 4).reshape(count, 3, 3, channels).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_images, of_weight, of_bias, None, None
