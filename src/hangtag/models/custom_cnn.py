"""A small VGG with batch norm and dropout: pairs of 3 x 3 convolutions between poolings.

Source: Simonyan & Zisserman 2015, arXiv 1409.1556 (pairs of small filters); Ioffe & Szegedy 2015, arXiv 1502.03167
(batch norm). 575,338 numbers.
Departures: three stages instead of five, a single convolution in the first (it sees the most pixels and costs most),
one dense layer before the last instead of two.
"""

from __future__ import annotations

from torch import Tensor, nn

from hangtag.models import register
from hangtag.models._convolution import Conv2d
from hangtag.models._options import (
    Activation,
    activation_layer,
    check_counts,
    check_dropout,
    check_kernel,
    check_left_over,
    pool_and_activate,
)


@register("custom_cnn", num_params=575_338)
class CustomCNN(nn.Module):
    """Stages of convolution, batch norm and activation; pooling and dropout between them. Shapes are for 28 pixels."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        filters: tuple[int, ...] = (32, 64, 128),
        kernel: int = 3,
        dense: int = 256,
        dropout: float = 0.3,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        check_counts("filters", filters)
        check_counts("dense", (dense,))
        check_kernel(kernel, odd=True)
        check_dropout(dropout)
        layers: list[nn.Module] = []
        left = size
        for i, (before, after) in enumerate(zip((in_channels, *filters), filters, strict=False)):
            if i > 0:
                layers += [*_convolution(before, after, kernel), activation_layer(activation)]
            layers += [*_convolution(after if i else before, after, kernel), *pool_and_activate(activation)]
            layers.append(nn.Dropout2d(dropout / 2))
            left //= 2  # 28 -> 14 -> 7 -> 3
            check_left_over(left, size, "use larger pictures or fewer filters")
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.classifier = nn.Sequential(
            nn.Linear(filters[-1] * left**2, dense),
            activation_layer(activation),
            nn.Dropout(dropout),
            nn.Linear(dense, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images))
        return logits


def _convolution(before: int, after: int, kernel: int) -> list[nn.Module]:
    # Batch norm has a bias of its own. It comes before pooling and activation, as in the paper.
    return [Conv2d(before, after, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(after)]
