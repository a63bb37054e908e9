"""Every optimiser with learning rates and weight decays of its own, and the schedule of the rate."""

from __future__ import annotations

from hangtag.study.spaces import register


@register("optimisers", recipe="lenet5")
def optimisers() -> tuple[str, ...]:
    """Each range spans what is in use for small convolutional networks; a rate for one optimiser suits no other."""
    return (
        "optimiser=adam,adamw,sgd,rmsprop,muon",
        "schedule=constant,cosine,one_cycle",
        "optimiser.adam.lr=1e-4..1e-2",
        "optimiser.adamw.lr=1e-4..1e-2",
        "optimiser.adamw.weight_decay=1e-3..0.2",
        "optimiser.sgd.lr=1e-2..1",
        "optimiser.sgd.weight_decay=1e-5..1e-2",
        "optimiser.rmsprop.lr=1e-4..1e-2",
        "optimiser.muon.lr=1e-2..0.5",
        "optimiser.muon.rest_lr=1e-4..1e-2",
        "optimiser.muon.weight_decay=1e-3..0.2",
    )
