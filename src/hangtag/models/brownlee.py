"""Brownlee's Fashion-MNIST network: one convolution, one dense layer, 542,230 numbers.

Source: Brownlee 2019, "Deep Learning CNN for Fashion-MNIST Clothing Classification", machinelearningmastery.com: 32
unpadded 3 x 3 filters, 2 x 2 max-pooling, dense 100, He-uniform weights. 320 + 540,900 + 1,010 = 542,230.
Departures: none in what is computed; the flattened order is channel, row, column where Keras has row, column, channel.
"""

from __future__ import annotations

from torch import Tensor, nn

from hangtag.models import register
from hangtag.models._initialise import like_keras
from hangtag.models._options import (
    Activation,
    activation_layer,
    check_counts,
    check_dropout,
    check_kernel,
    check_left_over,
    stage,
)


@register("brownlee", num_params=542_230)
class Brownlee(nn.Module):
    """Filters, pooling, activation, and one hidden layer. Shapes are those of 28-pixel pictures."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        filters: tuple[int, ...] = (32,),
        kernel: int = 3,
        dense: int = 100,
        dropout: float = 0.0,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        check_counts("filters", filters)
        check_counts("dense", (dense,))
        check_kernel(kernel)
        check_dropout(dropout)
        layers: list[nn.Module] = []
        left = size
        for before, after in zip((in_channels, *filters), filters, strict=False):
            layers += stage(before, after, kernel, activation)  # 28 -> 26 -> 13
            left = (left - kernel + 1) // 2
            check_left_over(left, size, "use larger pictures, fewer filters or a smaller kernel")
        self.features = nn.Sequential(*layers, nn.Flatten())  # 32 * 13 * 13 = 5,408
        self.classifier = nn.Sequential(
            nn.Linear(filters[-1] * left**2, dense),
            activation_layer(activation),
            nn.Dropout(dropout),
            nn.Linear(dense, num_classes),
        )
        like_keras(self, he_uniform=True)

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images))
        return logits
