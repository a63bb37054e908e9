"""A fast network for 28-pixel pictures on processors with matrix tiles: most accuracy per second on two cores.

Source: the shape of airbench (Jordan 2024, arXiv 2404.00498): three pooled stages of two 3x3 convolutions, identity
(Dirac) initialisation, global max pooling, a scaled head.
Departures: a 4x4 convolution of stride 2 in place of frozen 2x2 whitening, so that no full-size map of many channels is
ever made (on a CPU norms and activations over large maps cost more than the convolutions); no batch norm before the
first pooling, where it cost a fifth of a step and brought nothing measurable; ReLU for GELU; pooling opens a stage.
"""

from __future__ import annotations

from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.models import register
from hangtag.models._narrow import Conv2d
from hangtag.models._options import check_counts, check_left_over

SCALE = 1 / 9  # of the logits: keeps the first losses near ln K under a large learning rate


@register("fast", num_params=1_184_960)
class Fast(nn.Module):
    """Shapes are those of 28-pixel pictures."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        widths: tuple[int, ...] = (64, 128, 256),
        depths: tuple[int, ...] = (2, 2, 2),
    ) -> None:
        super().__init__()
        check_counts("widths", widths)
        check_counts("depths", depths)
        if len(depths) != len(widths):
            raise HangtagError("usage_value", f"fast has {len(widths)} widths but {len(depths)} depths: give as many")
        check_left_over(size >> len(widths), size, "use larger pictures or fewer widths")
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, widths[0], 4, stride=2, padding=1),  # 28 -> 14
            nn.ReLU(inplace=True),
        ]
        before = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            if stage:
                layers.append(nn.MaxPool2d(2))  # 14 -> 7 -> 3
            for _ in range(depth):
                convolution = Conv2d(before, width, 3, padding=1, bias=not stage)
                nn.init.dirac_(convolution.weight[:before])  # the first filters pass their input on
                layers += [convolution, *([nn.BatchNorm2d(width)] if stage else []), nn.ReLU(inplace=True)]
                before = width
        self.features = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten())  # 3 -> 1
        self.classifier = nn.Linear(before, num_classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images)) * SCALE
        return logits
