"""The grid published for the three-convolution network: learning rate, batch size, dropout; 27 combinations."""

from __future__ import annotations

from hangtag.study.spaces import register


@register("published_grid", recipe="three_conv", sampler="grid")
def published_grid() -> tuple[str, ...]:
    """For a network with one dropout."""
    return ("optimiser.lr=1e-3,1e-4,1e-5", "batch_size=32,64,128", "model.dropout=0.1,0.3,0.5")
