"""EfficientNet-B0 for small pictures: 4,019,782 numbers at one channel and ten classes.

Source: Tan & Le 2019, arXiv 1905.11946, table 1; blocks from MobileNetV2 (arXiv 1801.04381), squeeze-and-excitation
(arXiv 1709.01507), stochastic depth (arXiv 1603.09382).
Departures: two of the five halvings are left out or come later, so that 28 pixels end as 2 and not as 1; batch norm
keeps PyTorch's epsilon and momentum; pixels come normalised, nothing is rescaled inside (Keras's network does that).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hangtag.models import register
from hangtag.models._depthwise import DepthwiseConv2d
from hangtag.models._options import Activation, activation_layer, check_counts, check_dropout

_EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
_KERNELS = (3, 3, 5, 3, 5, 5, 3)
_DEPTHS = (1, 2, 2, 3, 3, 4, 1)
_HEAD = 1280


# fp32: backward through a depthwise filter takes 20 times longer in bf16 where it strides, and 3 times longer where it
# is 5 x 5 (torch 2.13, AMX).
@register("efficientnet", num_params=4_019_782, precision="fp32")
class EfficientNet(nn.Module):
    """A stem, seven stages of inverted bottlenecks, a head. Shapes are those of 28-pixel pictures."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        filters: tuple[int, ...] = (32, 16, 24, 40, 80, 112, 192, 320),
        strides: tuple[int, ...] = (2, 1, 2, 2, 1, 2, 1, 1),
        dropout: float = 0.2,
        drop_path: float = 0.2,
        activation: Activation = "silu",
    ) -> None:
        """Build it.

        Args:
            num_classes: logits per picture.
            in_channels: 1 or 3.
            size: pixels along a side; any, for the last maps are averaged.
            filters: of the stem and the seven stages.
            strides: of the stem and the seven stages; the paper's are 2, 1, 2, 2, 2, 1, 2, 1.
            dropout: before the last layer.
            drop_path: share of pictures for which the last block is left out; earlier blocks less, in proportion.
            activation: everywhere but in squeeze-and-excitation's gate.
        """
        super().__init__()
        check_counts("filters", filters, 8)
        check_counts("strides", strides, 8)
        check_dropout(dropout)
        check_dropout(drop_path, "drop_path")
        stem, *widths = filters
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, stem, 3, strides[0], padding=1, bias=False),  # 28 -> 14
            nn.BatchNorm2d(stem),
            activation_layer(activation),
        ]
        before, done = stem, 0
        stages = zip(widths, strides[1:], _EXPANSIONS, _KERNELS, _DEPTHS, strict=True)
        for width, stride, expansion, kernel, depth in stages:  # -> 14, 7, 4, 4, 2, 2, 2
            for i in range(depth):
                dropped = drop_path * done / sum(_DEPTHS)
                layers.append(_Block(before, width, expansion, kernel, stride if i == 0 else 1, dropped, activation))
                before, done = width, done + 1
        self.features = nn.Sequential(
            *layers,
            nn.Conv2d(before, _HEAD, 1, bias=False),
            nn.BatchNorm2d(_HEAD),
            activation_layer(activation),
            nn.AdaptiveAvgPool2d(1),  # 2 -> 1
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(_HEAD, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # A depthwise filter reaches one map only, which PyTorch's fan_out does not know.
                nn.init.kaiming_normal_(module.weight, mode="fan_in" if module.groups > 1 else "fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(images))
        return logits


class _Block(nn.Module):
    """Expand, filter each map on its own, weigh the maps, project; around it a shortcut where shapes allow."""

    def __init__(
        self,
        before: int,
        after: int,
        expansion: int,
        kernel: int,
        stride: int,
        drop_path: float,
        activation: Activation,
    ) -> None:
        super().__init__()
        wide = before * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [nn.Conv2d(before, wide, 1, bias=False), nn.BatchNorm2d(wide), activation_layer(activation)]
        layers += [
            DepthwiseConv2d(wide, kernel, stride),
            nn.BatchNorm2d(wide),
            activation_layer(activation),
            _SqueezeExcite(wide, max(1, before // 4), activation),  # a quarter of the block's input, not of its width
            nn.Conv2d(wide, after, 1, bias=False),
            nn.BatchNorm2d(after),
        ]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and before == after
        self.drop_path = drop_path

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.layers(maps)
        if not self.shortcut:
            return out
        if self.training and self.drop_path > 0:
            kept = torch.rand(len(out), 1, 1, 1, device=out.device, dtype=out.dtype) >= self.drop_path
            out = out * (kept / (1 - self.drop_path))
        return out + maps


class _SqueezeExcite(nn.Module):
    """Weigh each map by a gate computed from the means of all maps."""

    def __init__(self, maps: int, squeezed: int, activation: Activation) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(maps, squeezed, 1),
            activation_layer(activation),
            nn.Conv2d(squeezed, maps, 1),
            nn.Sigmoid(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        gate: Tensor = self.gate(maps)
        return maps * gate
