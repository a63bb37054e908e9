"""Networks, one per file; the file's name is the model's name.

A model is an `nn.Module` class with `__init__(self, num_classes, in_channels, size, *, options...)`, options being
typed keyword parameters with defaults, and `forward(images)`: (N, C, size, size) normalised floats -> (N, num_classes)
logits. `classifier` is the part of it that turns features into logits, all of that and nothing else: a model that goes
on to other classes (`recipe.start`) keeps the rest. It may have `prepare(images)`, called once before training with a
sample of normalised training pictures (data-dependent initialisation); `begin()`, called once weights to start from are
loaded, `start_names` telling what a tensor is called there; and `penalty`, added to a step's loss where it is not None.
Facts given to the decorator: `num_params` at ten classes, one channel, 28 pixels; `precision="fp32"` where bf16 is
slower; `extra="..."` where an optional package beyond torch is needed; `over_frozen={...}`: options whose classifier
makes most of features that may not learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.core.registry import Registry

if TYPE_CHECKING:
    from torch import nn

register: Registry[type[nn.Module]] = Registry("model", __name__)


@runtime_checkable
class Starting(Protocol):
    """A model that wants to know when the weights it starts from have been loaded."""

    def begin(self) -> None:
        """Take the weights as they are for what training goes on from."""


def create(part: Part, num_classes: int, in_channels: int, size: int) -> nn.Module:
    """A freshly initialised model.

    Raises:
        HangtagError: `usage_unknown_model`, `usage_unknown_key` or `usage_value`.
    """
    model: nn.Module = part.call(register.get(part.name), num_classes, in_channels, size)
    return model


def classifier_of(model: nn.Module) -> nn.Module:
    """The part of `model` that turns features into logits.

    Raises:
        HangtagError: `usage_value` if the model does not say which part that is.
    """
    from torch import nn

    found = getattr(model, "classifier", None)
    if not isinstance(found, nn.Module):
        raise HangtagError(
            "usage_value",
            f"{type(model).__name__} does not name its `classifier`, which start and freeze need",
        )
    return found


def classifier_names(model: nn.Module) -> set[str]:
    """Names in the model's state of what belongs to its classifier; raises what `classifier_of` does."""
    classifier = classifier_of(model)
    prefix = next(name for name, module in model.named_modules() if module is classifier)
    return {f"{prefix}.{name}" for name in classifier.state_dict()}
