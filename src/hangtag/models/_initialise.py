"""Starting weights as Keras draws them, for networks first published in Keras."""

from __future__ import annotations

from torch import nn


def like_keras(model: nn.Module, *, he_uniform: bool = False) -> None:
    """Draw weights by Glorot's uniform rule (Keras's default) and set biases to zero, in place.

    Args:
        model: its convolutions and dense layers are drawn anew.
        he_uniform: draw all but the last layer by He's uniform rule instead (`kernel_initializer="he_uniform"`).

    Source: Glorot & Bengio 2010; He et al. 2015, arXiv 1502.01852: uniform up to sqrt(6 / (fan_in + fan_out)) and
    sqrt(6 / fan_in).
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    for layer in layers:
        if he_uniform and layer is not layers[-1]:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        else:
            nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
