"""EfficientNet-lite0 trained on new classes of photos, with what ImageNet taught kept beside them.

Free photos of clothes show neither people nor bags. ImageNet does, so its own head of a thousand classes is kept beside
the new one: while training, its predictions are held where they were (Li & Hoiem 2016, "Learning without forgetting",
arXiv 1606.09282: here by the Kullback-Leibler divergence from the untouched network's), and in the trained network they
are a prior: what they say about kinds of product is added to the logits. The early stages and all batch-norm statistics
stay as they were. Trained from scratch it is a plain EfficientNet-lite0 with a second head that nobody asks.
"""

from __future__ import annotations

import copy
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from hangtag.core.errors import HangtagError
from hangtag.models import register
from hangtag.models.efficientnet_lite import HEAD, EfficientNetLite

FROZEN = 14  # modules of `features` that stay: the stem and 11 of 16 blocks, up to 14 x 14 maps of 112 channels
IMAGENET_CLASSES = 1000
# ImageNet's classes of a kind of product, for Fashion-MNIST's ten: jersey, sweatshirt, cardigan, lab coat, trench coat,
# suit, fur coat, poncho, kimono, abaya, pajama, uniform, stole, vestment, apron, bulletproof vest, academic gown; jean;
# gown, hoopskirt, overskirt, miniskirt, sarong; sandal, clog; running shoe, loafer; backpack, mailbag, purse; cowboy
# boot.
KINDS = (
    (610, 841, 474, 617, 869, 834, 568, 735, 614, 399, 697, 652, 824, 887, 411, 465, 400),
    (608,),
    (578, 601, 689, 655, 775),
    (774, 502),
    (770, 630),
    (414, 636, 748),
    (514,),
)
# Of T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and boot, which of these:
KIND_OF_CLASS = (0, 1, 0, 2, 0, 3, 0, 4, 5, 6)


# fp32: as for EfficientNet.
@register("photo_network", num_params=4_664_242, precision="fp32")
class PhotoNetwork(EfficientNetLite):
    """A network with two heads over the same features: `classifier`, and ImageNet's."""

    start_names: ClassVar = {"imagenet.weight": "classifier.1.weight", "imagenet.bias": "classifier.1.bias"}
    """Where in the weights to start from a tensor of another name is found."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        size: int,
        *,
        side: int = 64,
        dropout: float = 0.3,
        keep: float = 1.0,
        prior: float = 0.0,
    ) -> None:
        """Build it.

        Args:
            num_classes: logits per image.
            in_channels: 1 or 3.
            size: pixels along a side of what comes in.
            side: pixels along a side that are looked at, if more.
            dropout: before the last layer.
            keep: how much leaving ImageNet's predictions costs, per nat.
            prior: how much ImageNet's view of the kind of product weighs, for Fashion-MNIST's ten classes and, if there
                is an eleventh, "other"; 0: not at all.
        """
        super().__init__(num_classes, in_channels, size, side=side, dropout=dropout)
        if keep < 0 or prior < 0:
            raise HangtagError("usage_value", f"keep and prior should be 0 or more, not {keep} and {prior}")
        if prior and num_classes not in (len(KIND_OF_CLASS), len(KIND_OF_CLASS) + 1):
            raise HangtagError("usage_value", f"prior is for Fashion-MNIST's ten classes, not for {num_classes}: 0")
        self.imagenet = nn.Linear(HEAD, IMAGENET_CLASSES).requires_grad_(False)  # what it says is kept
        self.keep, self.prior, self.num_classes = keep, prior, num_classes
        self.penalty: Tensor | None = None  # of the last batch, to be added to its loss
        self._untouched: list[nn.Module] = []  # in a list: no part of this network's own state

    def begin(self) -> None:
        """Take the weights as they are for those that are kept: called once they have been loaded."""
        self._untouched = [copy.deepcopy(self.features[FROZEN:]).eval().requires_grad_(False)]
        self.features[:FROZEN].requires_grad_(False)

    def train(self, mode: bool = True) -> PhotoNetwork:
        """As any module; batch norms that came with the weights keep their statistics."""
        super().train(mode)
        if self._untouched:
            self.features.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        """Logits; while training `penalty` is set, in the trained network the prior is added."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._untouched):
            maps = self.features[:FROZEN](self.enlarged(images))
        features = self.features[FROZEN:](maps)
        logits: Tensor = self.classifier(features)
        if self.training:
            self.penalty = self._departure(maps, features) if self._untouched and self.keep else None
        elif self.prior:
            logits = logits.log_softmax(1) + self.prior * self._log_prior(self.imagenet(features))
        return logits

    def _departure(self, maps: Tensor, features: Tensor) -> Tensor:
        """`keep` times the divergence of ImageNet's predictions from what they were, in nats, batch mean."""
        with torch.no_grad():
            before = self.imagenet(self._untouched[0](maps)).log_softmax(1)
        now = self.imagenet(features).log_softmax(1)
        return self.keep * functional.kl_div(now, before, log_target=True, reduction="batchmean")

    def _log_prior(self, thousand: Tensor) -> Tensor:
        """(N, num_classes): how much less likely its kind is than the likeliest; 0 for "other"."""
        kinds = torch.stack([thousand[:, list(kind)].amax(1) for kind in KINDS], dim=1)  # (N, 7)
        behind = kinds.log_softmax(1)
        behind = (behind - behind.amax(1, keepdim=True))[:, list(KIND_OF_CLASS)]
        return functional.pad(behind, (0, self.num_classes - len(KIND_OF_CLASS)))
