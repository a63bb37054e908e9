"""LeNet-5 (1998): the smallest convolutional baseline worth keeping, 61,706 numbers.

Source: LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", fig. 2.
Departures: 28-pixel pictures padded by 2 instead of drawn on 32; ReLU for tanh, max-pooling for trained sub-sampling,
every second-layer filter sees all six maps, a linear head for the RBF units.
"""

from __future__ import annotations

from torch import Tensor, nn

from hangtag.models import register
from hangtag.models._options import (
    Activation,
    activation_layer,
    check_counts,
    check_dropout,
    check_kernel,
    check_left_over,
    pool_and_activate,
)


@register("lenet5", num_params=61_706)
class LeNet5(nn.Module):
    """Two convolutions with pooling, three dense layers. Shapes are those of 28-pixel pictures."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        filters: tuple[int, ...] = (6, 16),
        kernel: int = 5,
        dense: tuple[int, ...] = (120, 84),
        dropout: float = 0.0,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        check_counts("filters", filters, 2)
        check_counts("dense", dense, 2)
        check_kernel(kernel, odd=True)
        check_dropout(dropout)
        left = (size // 2 - kernel + 1) // 2
        check_left_over(left, size, f"use pictures of {2 * kernel + 2} pixels or more, or a smaller kernel")
        first, second = filters
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, first, kernel, padding=kernel // 2),
            *pool_and_activate(activation),  # 28 -> 14
            nn.Conv2d(first, second, kernel),  # 14 -> 10
            *pool_and_activate(activation),  # 10 -> 5
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(second * left**2, dense[0]),
            activation_layer(activation),
            nn.Dropout(dropout),
            nn.Linear(dense[0], dense[1]),
            activation_layer(activation),
            nn.Dropout(dropout),
            nn.Linear(dense[1], num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images))
        return logits
