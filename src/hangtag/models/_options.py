"""Options that several networks share: what they may be, and what happens when they are not."""

from __future__ import annotations

from typing import Literal, TypeAlias

from torch import nn

from hangtag.core.errors import HangtagError
from hangtag.models._convolution import Conv2d
from hangtag.models._rectified import MaxPool2d, ReLU
from hangtag.models._sparse import RectifiedConv2d
from hangtag.models._stem import Stem

Activation: TypeAlias = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def activation_layer(name: Activation) -> nn.Module:
    """The activation called `name`, in place where PyTorch can."""
    layer = _ACTIVATIONS[name]
    return layer(inplace=True) if layer in (nn.LeakyReLU, nn.ELU, nn.SiLU) else layer()


def pool_and_activate(name: Activation) -> list[nn.Module]:
    """2 x 2 max-pooling and the activation, the cheaper way round where both give the same numbers.

    The maximum commutes with a function that never falls; pooling first leaves it a quarter of the values. GELU and
    SiLU do fall, left of zero.
    """
    if name == "relu":
        return [MaxPool2d(relu=True), nn.Identity()]  # as many layers: weights keep their names whatever the activation
    layers = [MaxPool2d(), activation_layer(name)]
    return layers[::-1] if name in ("gelu", "silu") else layers


def stage(before: int, after: int, kernel: int, name: Activation, *, pool: bool = True) -> list[nn.Module]:
    """What the classics are made of: a convolution without padding, 2 x 2 max-pooling if asked for, the activation."""
    if name == "relu":
        grey = pool and before == 1
        layer = Stem(before, after, kernel) if grey else RectifiedConv2d(before, after, kernel, pool=pool)
        return [layer, *(nn.Identity() for _ in range(1 + pool))]  # as many layers whatever the activation
    after_it = pool_and_activate(name) if pool else [activation_layer(name)]
    return [Conv2d(before, after, kernel), *after_it]


def check_dropout(dropout: float, where: str = "dropout") -> None:
    """Refuse a share of dropped values that is not in [0, 1).

    Raises:
        HangtagError: `usage_value`.
    """
    if not 0 <= dropout < 1:
        raise HangtagError("usage_value", f"{where} is the share of values dropped, in [0, 1), not {dropout}")


def check_counts(where: str, counts: tuple[int, ...], length: int | None = None) -> None:
    """Refuse a list of layer widths that is empty, of another length than `length`, or not positive.

    Raises:
        HangtagError: `usage_value`.
    """
    if not counts or (length is not None and len(counts) != length) or min(counts) < 1:
        wanted = f"{length} whole numbers" if length else "whole numbers"
        raise HangtagError("usage_value", f"{where} should be {wanted} above 0, not {list(counts)}")


def check_kernel(kernel: int, *, odd: bool = False) -> None:
    """Refuse a kernel without pixels, or (where the picture is padded to keep its size) an even one.

    Raises:
        HangtagError: `usage_value`.
    """
    if kernel < 1 or (odd and kernel % 2 == 0):
        wanted = "an odd number of pixels" if odd else "a number of pixels above 0"
        raise HangtagError("usage_value", f"kernel should be {wanted}, not {kernel}")


def check_left_over(pixels: int, size: int, cure: str) -> None:
    """Refuse a picture that valid convolutions and poolings leave nothing of.

    Raises:
        HangtagError: `usage_value`.
    """
    if pixels < 1:
        raise HangtagError("usage_value", f"pictures of {size} x {size} pixels are too small for this network: {cure}")
