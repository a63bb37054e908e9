"""Any network of timm by its name there, `--set model.model=resnet10t`, from scratch or from a local file of weights.

Source: Wightman, PyTorch Image Models, github.com/huggingface/pytorch-image-models. Nothing is downloaded: weights that
timm saved elsewhere are a recipe's `start`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require
from hangtag.core.registry import nearest
from hangtag.models import register


@register("timm", extra="timm")
class TimmModel(nn.Module):
    """A network of timm, with its last layer made for our classes and its first for our channels.

    Args:
        num_classes: logits per picture.
        in_channels: 1 or 3.
        size: pixels along a side.
        model: its name in timm.

    Raises:
        HangtagError: `extra_missing` or `extra_broken` where timm cannot be imported; `usage_value` otherwise.
    """

    foreign_prefix = "network."  # before the names in a file that timm saved

    def __init__(self, num_classes: int, in_channels: int, size: int, *, model: str = "") -> None:
        super().__init__()
        timm = require("timm", extra="timm")
        if not model or not timm.is_model(model):
            hint = nearest(model, timm.list_models()) if model else " Set model.model, for example resnet10t."
            raise HangtagError("usage_value", f"timm has no network called {model!r}.{hint}")
        given = {"num_classes": num_classes, "in_chans": in_channels}
        self.network = _create(timm, model, given, size)

    @property
    def classifier(self) -> nn.Module:
        found: nn.Module = self.network.get_classifier()  # type: ignore[operator]
        return found

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.network(images)
        return logits


def _create(timm: ModuleType, model: str, given: dict[str, Any], size: int) -> nn.Module:
    try:
        try:
            network: nn.Module = timm.create_model(model, img_size=size, **given)  # transformers must know the size
        except TypeError:
            network = timm.create_model(model, **given)  # convolutional networks take any and refuse to be told
        with torch.no_grad():  # not all networks say what they cannot take before they see it
            network.eval()(torch.zeros(2, given["in_chans"], size, size))
        network.train()
    except (AssertionError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HangtagError("usage_value", f"{model} does not take pictures of {size} pixels ({reason})") from error
    return network
