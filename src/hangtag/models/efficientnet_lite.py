"""EfficientNet-lite0: MobileNetV2's blocks in EfficientNet's sizes, for going on from what ImageNet teaches.

Source: Tan & Le 2019, arXiv 1905.11946; the lite form (no squeeze-and-excitation, ReLU6, stem and head of one width) is
Google's, github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. Paddings and batch norms are theirs,
so that their weights fit: `start=imagenet` (training/start.py). 3,383,242 numbers at one channel and ten classes.
Departure: pictures smaller than `side` are enlarged inside, for features of 224 pixels see nothing in 28.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from hangtag.core.errors import HangtagError
from hangtag.models import register
from hangtag.models._depthwise import DepthwiseConv2d, same
from hangtag.models._options import check_dropout

_STAGES = (  # blocks, filter, stride of the first, expansion, width
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, HEAD = 32, 1280
_EPSILON = 1e-3  # of batch norm


# fp32: as for EfficientNet.
@register("efficientnet_lite", num_params=3_383_242, precision="fp32")
class EfficientNetLite(nn.Module):
    """A stem, seven stages of inverted bottlenecks, a head."""

    def __init__(self, num_classes: int, in_channels: int, size: int, *, side: int = 64, dropout: float = 0.2) -> None:
        """Build it.

        Args:
            num_classes: logits per picture.
            in_channels: 1 or 3.
            size: pixels along a side of what comes in.
            side: pixels along a side that are looked at, if more.
            dropout: before the last layer.
        """
        super().__init__()
        if not 1 <= side <= 1024:
            raise HangtagError("usage_value", f"side should be from 1 to 1,024 pixels, not {side}")
        check_dropout(dropout)
        self.side = max(side, size)
        layers: list[nn.Module] = [_Stem(in_channels, _STEM), *_norm(_STEM), nn.ReLU6(inplace=True)]
        before = _STEM
        for blocks, kernel, stride, expansion, width in _STAGES:
            for i in range(blocks):
                layers.append(_Block(before, width, kernel, stride if i == 0 else 1, expansion))
                before = width
        self.features = nn.Sequential(
            *layers,
            nn.Conv2d(before, HEAD, 1, bias=False),
            *_norm(HEAD),
            nn.ReLU6(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(HEAD, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # A depthwise filter reaches one map only, which PyTorch's fan_out does not know.
                nn.init.kaiming_normal_(module.weight, mode="fan_in" if module.groups > 1 else "fan_out")

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.classifier(self.features(self.enlarged(images)))
        return logits

    def enlarged(self, images: Tensor) -> Tensor:
        """(N, C, size, size) -> (N, C, side, side): as they are if they are no smaller."""
        if images.shape[2] == self.side:
            return images
        return interpolate(images, size=(self.side, self.side), mode="bilinear", align_corners=False)


def _norm(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels, eps=_EPSILON)]


class _Stem(nn.Conv2d):
    """3 x 3 with stride 2, padded as TensorFlow pads."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, 2, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        first, last = same(images.shape[2], 3, 2)
        return super().forward(pad(images, (first, last, first, last)))


class _Block(nn.Module):
    """Expand, filter each map on its own, project; around it a shortcut where shapes allow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [nn.Conv2d(before, wide, 1, bias=False), *_norm(wide), nn.ReLU6(inplace=True)]
        layers += [
            DepthwiseConv2d(wide, kernel, stride, tensorflow=True),
            *_norm(wide),
            nn.ReLU6(inplace=True),
            nn.Conv2d(wide, after, 1, bias=False),
            *_norm(after),
        ]
        self.body = nn.Sequential(*layers)
        self.shortcut = stride == 1 and before == after

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.body(maps)
        return out + maps if self.shortcut else out
