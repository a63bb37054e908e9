"""Batch norm with ReLU after it, in eight passes over memory where PyTorch's two layers take fourteen.

Over large maps of few channels, as a residual network has at full resolution, PyTorch's take as long as convolutions.
The same computation, with sums in another order; where `_kernels` cannot help it is PyTorch's layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from hangtag.models import _kernels
from hangtag.models._rectified import CHANNELS, WORTH_IT


class BatchNormReLU(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d`, under whose names its weights are kept, and what of its answer is above zero."""

    def forward(self, input: Tensor) -> Tensor:  # (N, C, H, W), both
        if (kernels := self._worth_it(input)) is None:
            return functional.relu_(super().forward(input))
        normed, mean, variance = _NormReLU.apply(  # type: ignore[no-untyped-call]
            input, self.weight, self.bias, self.eps, kernels
        )
        with torch.no_grad():
            n = input.numel() // input.shape[1]
            self.running_mean.lerp_(mean, self.momentum)  # type: ignore[union-attr, arg-type]
            self.running_var.lerp_(variance * (n / (n - 1)), self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        result: Tensor = normed
        return result

    def _worth_it(self, input: Tensor) -> _kernels.Kernels | None:
        if not (
            self.training
            and torch.is_grad_enabled()  # without gradients nothing is to be gained
            and self.momentum is not None
            and input.dim() == 4
            and input.shape[1] == self.num_features >= CHANNELS
            and input.numel() >= WORTH_IT
            and input.numel() > input.shape[1]  # one number has no spread: PyTorch says so
            and input.is_contiguous(memory_format=torch.channels_last)
            and _kernels.supports(input)
            and all(
                own is not None and own.dtype == torch.float32 and own.device.type == "cpu"
                for own in (self.weight, self.bias, self.running_mean, self.running_var)
            )
        ):
            return None
        return _kernels.load()


class _NormReLU(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, eps: float, kernels: _kernels.Kernels
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = kernels.norm_moments(maps)
        inverse = (variance + eps).rsqrt()
        scale = weight * inverse
        shift = bias - mean * scale
        out = torch.empty_like(maps)
        kernels.norm_relu(maps, scale, shift, out)
        ctx.save_for_backward(maps, mean, inverse, scale, shift)
        ctx.kernels = kernels
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor, _mean: Tensor, _variance: Tensor
    ) -> tuple[Tensor | None, Tensor, Tensor, None, None]:
        maps, mean, inverse, scale, shift = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        n = maps.numel() // maps.shape[1]
        of_bias, product = ctx.kernels.norm_sums(gradient, maps, scale, shift, mean)
        of_weight = product * inverse
        to = None
        if ctx.needs_input_grad[0]:
            # Ioffe & Szegedy 2015, section 3: of each number's own gradient, less the mean of all, less what lies
            # along the normed numbers: scale (g - mean(g) - normed mean(g normed)).
            slope = -scale * inverse * of_weight / n
            offset = -scale * of_bias / n - slope * mean
            to = torch.empty_like(maps)
            ctx.kernels.norm_gradient(gradient, maps, scale, shift, slope, offset, to)
        return to, of_weight, of_bias, None, None
