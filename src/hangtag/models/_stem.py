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

LANES = 16  # filters that are computed at a time where registers are widest; elsewhere 8 or 4


class Stem(nn.Conv2d):
    """A convolution without padding, then the largest of each 2 x 2 and what of it is above zero."""

    def __init__(self, in_channels: int, filters: int, kernel: int) -> None:
        super().__init__(in_channels, filters, kernel)
        self.pool = MaxPool2d(relu=True)

    def forward(self, input: Tensor) -> Tensor:  # (N, C, H, W) -> (N, F, (H - 2) // 2, (W - 2) // 2)
        if (kernels := self._worth_it(input)) is None:
            pooled: Tensor = self.pool(super().forward(input))
            return pooled
        precision = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else input.dtype
        seen: Tensor = _Stem.apply(input, self.weight, self.bias, precision, kernels)  # type: ignore[no-untyped-call]
        return seen

    def _worth_it(self, input: Tensor) -> _kernels.Kernels | None:
        if not (
            self.training
            and torch.is_grad_enabled()
            and not input.requires_grad
            and input.dim() == 4
            and input.shape[1] == 1
            and min(input.shape[2:]) >= 4
            and self.kernel_size == (3, 3)
            and self.out_channels % LANES == 0
            and self.bias is not None
            and self.weight.requires_grad
            and self.bias.requires_grad
            and _kernels.supports(input)
            and _kernels.supports(self.weight)
            and (
                torch.get_autocast_dtype("cpu") == torch.bfloat16
                if torch.is_autocast_enabled("cpu")
                else input.dtype == self.weight.dtype  # PyTorch says what is wrong with two kinds
            )
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
        out = torch.empty(
            n, count, rows, columns, dtype=precision, device=images.device, memory_format=torch.channels_last
        )
        winner = torch.empty(n, rows, columns, count, dtype=torch.uint8, device=images.device)
        kernels.stem(images, filters, rounded(bias), out, winner)
        ctx.save_for_backward(images, winner)
        ctx.kernels, ctx.kind = kernels, (weight.dtype, bias.dtype)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, Tensor, None, None]:
        images, winner = ctx.saved_tensors
        count = winner.shape[3]
        sums = torch.empty(torch.get_num_threads(), 10, count, dtype=torch.float32, device=images.device)
        ctx.kernels.stem_gradient(gradient.contiguous(memory_format=torch.channels_last), winner, images, sums)
        total = sums.sum(0)  # (10, F)
        of_weight, of_bias = ctx.kind
        return None, total[:9].t().reshape(count, 1, 3, 3).to(of_weight), total[9].to(of_bias), None, None
