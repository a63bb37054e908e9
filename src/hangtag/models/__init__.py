"""Networks, one per file; the file's name is the model's name.

A model is an `nn.Module` class with `__init__(self, num_classes, in_channels, size, *, options...)`, options being
typed keyword parameters with defaults, and `forward(images)`: (N, C, size, size) normalised floats -> (N, num_classes)
logits. It may have `prepare(images)`, called once before training with a sample of normalised training pictures
(data-dependent initialisation). Facts given to the decorator: `num_params` at ten classes, one channel, 28 pixels;
`precision="fp32"` where bf16 is slower; `extra="..."` where an optional package beyond torch is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hangtag.core.recipe import Part
from hangtag.core.registry import Registry

if TYPE_CHECKING:
    from torch import nn

register: Registry[type[nn.Module]] = Registry("model", __name__)


def create(part: Part, num_classes: int, in_channels: int, size: int) -> nn.Module:
    """A freshly initialised model.

    Raises:
        HangtagError: `usage_unknown_model`, `usage_unknown_key` or `usage_value`.
    """
    model: nn.Module = part.call(register.get(part.name), num_classes, in_channels, size)
    return model
