"""A wide residual network: full resolution for its first stage, and as wide as a processor's matrix tiles like.

Source: Zagoruyko & Komodakis 2016, "Wide Residual Networks", arXiv 1605.07146: blocks of norm, ReLU, convolution twice
(He et al. 2016, arXiv 1603.05027), three stages, the second and third at half and a quarter of the resolution.
Departures: the stem is as wide as the first stage, and the first stage is narrow beside the second: norms over
maps of 28 x 28 cost as much as convolutions (docs/decisions/0011-full-resolution.md). With `average` stages begin with
means of 2 x 2 pixels in place of convolutions of stride 2 (anti-aliasing: Zhang 2019, arXiv 1904.11486).
"""

from __future__ import annotations

from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.models import register
from hangtag.models._convolution import Conv2d
from hangtag.models._normed import BatchNormReLU
from hangtag.models._options import check_counts, check_dropout, check_left_over


class Block(nn.Module):
    """Norm, ReLU and a 3x3 convolution, twice; what comes in is added to what comes out."""

    def __init__(self, before: int, after: int, *, halves: bool, average: bool) -> None:
        super().__init__()
        stride = 2 if halves and not average else 1
        # Identity: weights keep the names they have with batch norm and ReLU apart.
        self.activated = nn.Sequential(BatchNormReLU(before), nn.AvgPool2d(2) if halves and average else nn.Identity())
        self.residual = nn.Sequential(
            Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            *(BatchNormReLU(after), nn.Identity()),
            Conv2d(after, after, 3, padding=1, bias=False),
        )
        self.shortcut: nn.Module | None = None
        if before != after or halves:
            self.shortcut = Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, maps: Tensor) -> Tensor:  # (N, before, H, W) -> (N, after, H, W), or H / 2 and W / 2
        activated = self.activated(maps)
        added: Tensor = self.residual(activated) + (maps if self.shortcut is None else self.shortcut(activated))
        return added


@register("wide_residual", num_params=2_623_594)
class WideResidual(nn.Module):
    """Shapes are those of 28-pixel pictures."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        widths: tuple[int, ...] = (32, 128, 256),
        depths: tuple[int, ...] = (2, 2, 2),
        average: bool = False,
        dropout: float = 0.0,
    ) -> None:
        """Build it.

        Args:
            num_classes: logits per picture.
            in_channels: 1 or 3.
            size: pixels along a side.
            widths, depths: filters and blocks of each stage; every stage after the first halves the resolution.
            average: halve it by means of 2 x 2 pixels, not by convolutions of stride 2: a sixth less of a step.
            dropout: before the last layer.
        """
        super().__init__()
        check_counts("widths", widths)
        check_counts("depths", depths)
        if len(depths) != len(widths):
            raise HangtagError(
                "usage_value", f"wide_residual has {len(widths)} widths but {len(depths)} depths: give as many"
            )
        check_left_over(size >> (len(widths) - 1), size, "use larger pictures or fewer widths")
        check_dropout(dropout)
        layers: list[nn.Module] = [nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False)]
        before = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):  # 28, 14, 7
            for block in range(depth):
                layers.append(Block(before, width, halves=stage > 0 and block == 0, average=average))
                before = width
        layers += [BatchNormReLU(before), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(before, num_classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images))
        return logits
