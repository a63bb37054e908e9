"""Every activation, with the learning rate, as each has its own best."""

from __future__ import annotations

from hangtag.study.spaces import register


@register("activations", recipe="lenet5")
def activations() -> tuple[str, ...]:
    """For a network with the option `activation`."""
    return ("model.activation=relu,leaky_relu,elu,gelu,silu,tanh", "optimiser.lr=3e-4..1e-2")
