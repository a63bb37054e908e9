"""Any network of timm by its name there, `--set model.model=resnet10t`, from scratch or from a local .safetensors file.

Source: Wightman, PyTorch Image Models, github.com/huggingface/pytorch-image-models. Nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

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
        weights: path of a .safetensors file saved from the same network, or empty. A last layer of other classes is
            left as drawn; filters of three channels are summed for grey pictures.

    Raises:
        HangtagError: `extra_missing` or `extra_broken` where timm cannot be imported; `usage_value` otherwise.
    """

    def __init__(self, num_classes: int, in_channels: int, size: int, *, model: str = "", weights: str = "") -> None:
        super().__init__()
        timm = require("timm", extra="timm")
        if not model or not timm.is_model(model):
            hint = nearest(model, timm.list_models()) if model else " Set model.model, for example resnet10t."
            raise HangtagError("usage_value", f"timm has no network called {model!r}.{hint}")
        given = {"num_classes": num_classes, "in_chans": in_channels}
        self.network = _create(timm, model, given, size)
        if weights:
            _load(self.network, Path(weights), in_channels)

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.network(images)
        return logits


def _create(timm: ModuleType, model: str, given: dict[str, Any], size: int) -> nn.Module:
    try:
        network: nn.Module = timm.create_model(model, img_size=size, **given)  # transformers must know the size
    except TypeError:
        network = timm.create_model(model, **given)  # convolutional networks take any and refuse to be told
    except (AssertionError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HangtagError("usage_value", f"{model} does not take pictures of {size} pixels ({reason})") from error
    return network


def _load(network: nn.Module, path: Path, in_channels: int) -> None:
    """Fill the network from a file; what may differ is the last layer's classes and the first layer's channels."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        raise HangtagError(
            "usage_value",
            f"{path} is not a .safetensors file: other formats can run code when loaded; convert it first",
        )
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise HangtagError("usage_value", f"{path} cannot be read as safetensors ({error})") from error
    wanted = network.state_dict()
    head, first = (getattr(network, "pretrained_cfg", {}).get(key) for key in ("classifier", "first_conv"))
    heads, firsts = (tuple([names] if isinstance(names, str) else names or ()) for names in (head, first))
    for name in [name for name in state if name in wanted and state[name].shape != wanted[name].shape]:
        layer = name.rpartition(".")[0]
        if layer in heads:
            state[name] = wanted[name]
        elif layer in firsts and in_channels == 1 and state[name].ndim == 4 and state[name].shape[1] == 3:
            state[name] = state[name].sum(dim=1, keepdim=True)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise HangtagError("usage_value", f"{path} does not fit this network: {reason}") from error
