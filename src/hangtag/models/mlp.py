"""A multilayer perceptron: what the pixels are worth without convolutions.

Source: Rumelhart, Hinton & Williams 1986; 512 and 256 units. 401,920 + 131,328 + 2,570 = 535,818 numbers.
"""

from __future__ import annotations

from torch import Tensor, nn

from hangtag.models import register
from hangtag.models._options import Activation, activation_layer, check_counts, check_dropout


@register("mlp", num_params=535_818)
class MLP(nn.Module):
    """Dense layers, each with activation and dropout, on the flattened picture."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        dense: tuple[int, ...] = (512, 256),
        dropout: float = 0.3,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        check_counts("dense", dense)
        check_dropout(dropout)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in zip((in_channels * size**2, *dense), dense, strict=False):
            layers += [nn.Linear(before, after), activation_layer(activation), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(dense[-1], num_classes))

    @property
    def classifier(self) -> nn.Module:
        return self.layers[-1]

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.layers(images)
        return logits
