"""Dropout of many numbers without waiting for as many draws.

On a processor PyTorch draws for each of them on its own, one after the other: 87 ms for the 512 x 11,712 numbers that
the new dense layer over a frozen network reads. Here a draw of 64 bits decides four: 36 ms (docs/log.md).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WORTH_IT = 1 << 20  # numbers: below that it is PyTorch's own, whose draws older results were made with


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`; of many numbers on a processor, a number is dropped with `p` rounded to a 65,536th."""

    def forward(self, input: Tensor) -> Tensor:
        if not (self.training and 0 < self.p < 1 and input.device.type == "cpu" and input.numel() >= WORTH_IT):
            return super().forward(input)
        draws = torch.empty(-(-input.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        lanes = draws.view(torch.int16)[: input.numel()].view(input.shape)  # each of 65,536 values alike
        kept = lanes >= min(round(self.p * 65536), 65535) - 32768
        return input * kept.to(input.dtype).mul_(1 / (1 - self.p))
