"""The first layers of many a classic, quickly: a 3x3 convolution of a grey picture, 2x2 max-pooling, ReLU.

Eight times as many numbers lie between the picture and what comes out; they are never written, and of their gradients,
three quarters of which are zero, only the sums over pictures are. The same computation as PyTorch's layers, with sums
in another order; where `_kernels` cannot help it is PyTorch's layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hangtag.models import _kernels
from hangtag.models._rectified import MaxPool2d

LANES = 16  # filters that are computed at a time


class Stem(nn.Module):
    """`convolution`, then the largest of each 2 x 2 and what of it is above zero."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        self.pool = MaxPool2d(relu=True)

    def forward(self, images: Tensor) -> Tensor:  # (N, 1, H, W) -> (N, F, (H - 2) // 2, (W - 2) // 2)
        if (kernels := self._worth_it(images)) is None:
            pooled: Tensor = self.pool(self.convolution(images))
            return pooled
        convolution = self.convolution
        precision = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else images.dtype
        seen: Tensor = _Stem.apply(images, convolution.weight, convolution.bias, precision, kernels)  # type: ignore[no-untyped-call]
        return seen

    def _worth_it(self, images: Tensor) -> _kernels.Kernels | None:
        convolution = self.convolution
        if not (
            self.training
            and torch.is_grad_enabled()
            and not images.requires_grad
            and images.shape[1] == 1
            and min(images.shape[2:]) >= 4
            and convolution.kernel_size == (3, 3)
            and convolution.padding == (0, 0)
            and convolution.stride == convolution.dilation == (1, 1)
            and convolution.bias is not None
            and convolution.weight.requires_grad
            and convolution.bias.requires_grad
            and convolution.out_channels % LANES == 0
            and _kernels.supports(images)
            and _kernels.supports(convolution.weight)
            and (not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") == torch.bfloat16)
        ):
            return None
        return _kernels.load()


class _Stem(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, precision: torch.dtype, kernels: _kernels.Kernels
    ) -> Tensor:
        n, _, height, width = images.shape
        count = len(weight)

        def rounded(tensor: Tensor) -> Tensor:  # as autocast would, then sums in float32
            return tensor.detach().to(precision).float().contiguous()

        images = rounded(images)
        filters = rounded(weight).view(count, 9).t().contiguous()
        rows, columns = (height - 2) // 2, (width - 2) // 2
        out = torch.empty(n, count, rows, columns, dtype=precision, memory_format=torch.channels_last)
        winner = torch.empty(n, rows, columns, count, dtype=torch.uint8)
        kernels.stem(images, filters, rounded(bias), out, winner)
        ctx.save_for_backward(images, winner)
        ctx.kernels, ctx.kind = kernels, (weight.dtype, bias.dtype)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor, None, None]:
        images, winner = ctx.saved_tensors
        count = winner.shape[3]
        sums = torch.empty(torch.get_num_threads(), 10, count)
        ctx.kernels.stem_gradient(gradient.contiguous(memory_format=torch.channels_last), winner, images, sums)
        total = sums.sum(0)  # (10, F)
        of_weight, of_bias = ctx.kind
        return None, total[:9].t().reshape(count, 1, 3, 3).to(of_weight), total[9].to(of_bias), None, None
