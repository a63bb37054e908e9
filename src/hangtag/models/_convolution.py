"""`torch.nn.Conv2d` that trains more quickly on a processor, in the way that suits what it computes in.

bfloat16, over small maps: its weight gradient is summed over maps laid side by side (`_narrow`). float32: 3x3
convolutions multiply less (`_winograd`), also when a run judges its validation pictures. Anything else is PyTorch's
own: what is exported, and what its answers are proved against, whose maps lie channel by channel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hangtag.models import _narrow, _winograd


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` in all it computes."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if (
            not torch.jit.is_tracing()  # type: ignore[no-untyped-call, attr-defined]
            and self.stride == self.dilation == (1, 1)
            and self.groups == 1
            and self.padding_mode == "zeros"
            and isinstance(self.padding, tuple)
        ):
            if torch.is_grad_enabled() and _narrow.worth_it(input, weight, self.padding):
                return _narrow.convolve(input, weight, bias, self.padding)
            down, across = self.padding
            if down == across and (kernels := _winograd.kernels_for(input, weight, bias, down)) is not None:
                return _winograd.convolve(input, weight, bias, down, kernels)
        plain: Tensor = super()._conv_forward(input, weight, bias)
        return plain
