"""Three convolutions and a dense layer: the Keras classic for Fashion-MNIST, 206,026 numbers.

Source: the network of the Keras and TensorFlow image-classification tutorials (Conv 32, pool, Conv 64, pool, Conv 64,
dense) in the width published for Fashion-MNIST: dense 256, dropout 0.5.
320 + 18,496 + 36,928 + 147,712 + 2,570 = 206,026.
Departures: none in what is computed. Weights start as Keras draws them (Glorot uniform, zero biases); the flattened
order is channel, row, column where Keras has row, column, channel; pooling comes before ReLU: the same numbers.
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


@register("three_conv", num_params=206_026)
class ThreeConv(nn.Module):
    """Unpadded convolutions, a pooling after each but the last. Shapes are those of 28-pixel pictures."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        filters: tuple[int, ...] = (32, 64, 64),
        kernel: int = 3,
        dense: int = 256,
        dropout: float = 0.5,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        check_counts("filters", filters)
        check_counts("dense", (dense,))
        check_kernel(kernel)
        check_dropout(dropout)
        layers: list[nn.Module] = []
        left = size
        for i, (before, after) in enumerate(zip((in_channels, *filters), filters, strict=False)):
            left = left - kernel + 1  # 28 -> 26, 13 -> 11, 5 -> 3
            pool = i < len(filters) - 1
            layers += stage(before, after, kernel, activation, pool=pool)
            if pool:
                left //= 2  # 26 -> 13, 11 -> 5
            check_left_over(left, size, "use larger pictures, fewer filters or a smaller kernel")
        self.features = nn.Sequential(*layers, nn.Flatten())  # 64 * 3 * 3 = 576
        self.classifier = nn.Sequential(
            nn.Linear(filters[-1] * left**2, dense),
            activation_layer(activation),
            nn.Dropout(dropout),
            nn.Linear(dense, num_classes),
        )
        like_keras(self)

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images))
        return logits
