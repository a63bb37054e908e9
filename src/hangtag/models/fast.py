"""A fast network for 28-pixel pictures on processors with matrix tiles: most accuracy per second on two cores.

Source: the shape of airbench (Jordan 2024, arXiv 2404.00498): three pooled stages of two 3x3 convolutions, identity
(Dirac) initialisation, global max pooling, a scaled head.
Departures: a 4x4 convolution of stride 2 in place of frozen 2x2 whitening, so that no full-size map of many channels is
ever made (on a CPU norms and activations over large maps cost more than the convolutions); no batch norm before the
first pooling, where it cost a fifth of a step and brought nothing measurable; ReLU for GELU; pooling opens a stage.

With `grids` and `dense` its classifier reads every stage and where in the picture things are, not just the last
stage's maxima (multi-scale features: Yang & Ramanan 2015, "Multi-scale recognition with DAG-CNNs", arXiv 1505.05232).
Convolutions that may not learn lack what new classes need in their last layer, not in their first: docs/log.md.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.models import register
from hangtag.models._convolution import Conv2d
from hangtag.models._dropout import Dropout
from hangtag.models._normed import BatchNormReLU
from hangtag.models._options import check_counts, check_dropout, check_left_over
from hangtag.models._rectified import MaxPool2d, ReLU

SCALE = 1 / 9  # of the logits: keeps the first losses near ln K under a large learning rate


@register("fast", num_params=1_184_960, over_frozen={"grids": (7, 7, 3), "dense": 256, "dropout": 0.5})
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
        grids: tuple[int, ...] = (),
        dense: int = 0,
        dropout: float = 0.0,
    ) -> None:
        """Build it.

        Args:
            num_classes: logits per picture.
            in_channels: 1 or 3.
            size: pixels along a side.
            widths, depths: filters and convolutions of each stage.
            grids: for each stage the classifier reads, into how many rows and columns at most its maps are pooled; 0
                for a stage it does not read. Empty: the last stage, into one.
            dense: units of a hidden layer in the classifier, with batch norm before it; 0 for none.
            dropout: before each dense layer, if there is a hidden one.
        """
        super().__init__()
        check_counts("widths", widths)
        check_counts("depths", depths)
        if len(depths) != len(widths):
            raise HangtagError("usage_value", f"fast has {len(widths)} widths but {len(depths)} depths: give as many")
        check_left_over(size >> len(widths), size, "use larger pictures or fewer widths")
        if len(grids or widths) != len(widths) or min(grids, default=1) < 0 or max(grids, default=1) < 1:
            raise HangtagError("usage_value", f"grids wants a number for each of {len(widths)} stages, and one above 0")
        if dense < 0:
            raise HangtagError("usage_value", f"dense should be 0 or more units, not {dense}")
        check_dropout(dropout)
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, widths[0], 4, stride=2, padding=1),  # 28 -> 14
            ReLU(),
        ]
        before = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            if stage:
                layers.append(MaxPool2d(relu=stage == 1 and not grids))  # 14 -> 7 -> 3
            for number in range(depth):
                pooled = stage == 0 and number == depth - 1 and not grids and len(widths) > 1  # and rectified with it
                layers.append(Conv2d(before, width, 3, padding=1, bias=not stage))
                layers += [BatchNormReLU(width)] if stage else []
                layers.append(nn.Identity() if stage or pooled else ReLU())  # norms rectify; names count the places
                before = width
        for layer in layers[1:]:
            if isinstance(layer, nn.Conv2d):
                nn.init.dirac_(layer.weight[: layer.in_channels])  # the first filters pass their input on
        read = before
        if grids:
            self.features = nn.Sequential(*layers)
            sides = [(size // 2) >> stage for stage in range(len(widths))]  # 14, 7, 3
            windows = [-(-side // grid) if grid else 0 for side, grid in zip(sides, grids, strict=True)]
            self.windows = tuple(windows)
            read = sum(w * (s // k) ** 2 for w, s, k in zip(widths, sides, windows, strict=True) if k)
        else:
            self.features = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten())  # 3 -> 1
            self.windows = ()
        self.scale = SCALE
        self.classifier: nn.Module = nn.Linear(read, num_classes, bias=False)
        if dense:
            self.scale = 1.0
            self.classifier = nn.Sequential(
                nn.BatchNorm1d(read),  # stages differ in size, and what is large would learn first
                Dropout(dropout),
                nn.Linear(read, dense),
                ReLU(),
                Dropout(dropout),
                nn.Linear(dense, num_classes),
            )

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        read = self._read(images) if self.windows else self.features(images)
        logits: Tensor = self.classifier(read) * self.scale
        return logits

    def _read(self, images: Tensor) -> Tensor:
        """(N, C, size, size) -> (N, F): what the classifier reads of each stage, which ends where pooling begins."""
        stages, maps = [], images
        for layer in self.features:
            if isinstance(layer, MaxPool2d):
                stages.append(maps)
            maps = layer(maps)
        stages.append(maps)
        pooled = [
            nn.functional.max_pool2d(stage, window)
            for stage, window in zip(stages, self.windows, strict=True)
            if window
        ]
        return torch.cat([stage.flatten(1) for stage in pooled], dim=1)
