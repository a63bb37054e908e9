"""A 3x3-like convolution in bfloat16 whose weight gradient does not crawl over small maps.

The weight gradient of a convolution sums over every place of every picture. oneDNN 3.x takes a map's row as the unit of
that sum, so in bfloat16 a map 3 wide fills 3 of the 16 rows of a matrix tile: on one AMX core 512 maps of 3x3 with 128
channels take 11 ms where the forward pass takes 1.6. Laid side by side, with zeros between, 16 maps make one row of 64
and the same sum takes 2.3 ms; 7-wide maps gain almost half. In float32 nothing is gained, nor above some ten pixels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

NARROW = 10  # pixels: at 14 the copies cost what they save
ROW = 64  # pixels of a laid-out row, four tiles


def worth_it(images: Tensor, weight: Tensor, padding: tuple[int, ...]) -> bool:
    """Whether this convolution of stride 1 is one whose gradient would crawl."""
    return (
        images.device.type == "cpu"
        and images.dim() == 4
        and images.shape[3] <= NARROW
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
        and 2 * padding[1] < weight.shape[3]  # maps that do not grow
    )


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, ...]) -> Tensor:
    """`torch.conv2d` in bfloat16, with its gradients."""
    output: Tensor = _SideBySide.apply(images.bfloat16(), weight.bfloat16(), padding)  # type: ignore[no-untyped-call]
    return output if bias is None else output + bias.bfloat16()[:, None, None]


class _SideBySide(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.padding = padding
        return torch.conv2d(images, weight, padding=padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        images, weight = ctx.saved_tensors
        padding = ctx.padding
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = _gradients(gradient, images, weight, padding, (True, False))[0]
        if ctx.needs_input_grad[1]:
            # A filter looks `padding` pixels past a picture's edge; so many zeros keep it from seeing its neighbour.
            pitch = images.shape[3] + padding[1]
            maps = max(1, ROW // pitch)
            laid = laid_side_by_side(images, pitch, maps)
            width = laid.shape[3] + 2 * padding[1] - weight.shape[3] + 1  # of the output over the laid-out row
            laid_gradient = laid_side_by_side(gradient, pitch, maps)[..., :width]
            laid_gradient = laid_gradient.contiguous(memory_format=torch.channels_last)
            of_weight = _gradients(laid_gradient, laid, weight, padding, (False, True))[1]
        return of_images, of_weight, None


def laid_side_by_side(maps_nchw: Tensor, pitch: int, count: int) -> Tensor:
    """(N, C, H, W) -> (ceil(N / count), C, H, count * pitch): `count` maps to a row, zeros up to `pitch` after each."""
    n, channels, height, width = maps_nchw.shape
    whole, rest = divmod(n, count)
    laid = maps_nchw.new_zeros(whole + bool(rest), height, count, pitch, channels)
    source = maps_nchw.permute(0, 2, 3, 1)  # (N, H, W, C)
    laid[:whole, :, :, :width].copy_(
        source[: whole * count].view(whole, count, height, width, channels).transpose(1, 2)
    )
    if rest:
        laid[whole, :, :rest, :width].copy_(source[whole * count :].transpose(0, 1))
    return laid.view(-1, height, count * pitch, channels).permute(0, 3, 1, 2)


def _gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, padding: tuple[int, int], wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    result: tuple[Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, images, weight, None, (1, 1), padding, (1, 1), False, (0, 0), 1, (*wanted, False)
    )[:2]
    return result
