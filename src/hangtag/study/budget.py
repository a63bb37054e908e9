"""The same wall time for every network: how long an epoch takes here, and how many fit."""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hangtag import data as datasets
from hangtag.core import recipe as recipes
from hangtag.core.clock import process_age_s
from hangtag.core.recipe import NetworkRecipe
from hangtag.data.split import training_and_validation
from hangtag.watch import Watch

_STEPS = 15  # in each of two short epochs: the first few are not counted
_WARM = 5
_JUDGED = 1024  # validation pictures
_EASY = 0.6  # about the share of pictures whose loss is below the mean: what `prune` leaves out is taken from these


def epochs_within(budget_s: float, probed: dict[str, float]) -> int:
    """How many epochs end within the budget; at least 1."""
    return max(1, int((budget_s - probed["startup_s"]) / probed["epoch_s"]))


def probe(recipe: dict[str, Any], name: str, data: str | None, device: str, watch: Watch) -> dict[str, float]:
    """Time some steps of a network, in a process of its own as its run will have.

    Args:
        recipe: as `core.recipe.to_dict` gives it.
        name, data: the data set, as `data.find` takes it.
        device: "auto", "cpu", "cuda" or "mps".
        watch: who is told.

    Returns:
        `startup_s`: from the start of the process to its first step; `step_s`; `epoch_s`: of a whole epoch, with its
        validation and its checkpoint; `steps`: how many were timed.
    """
    from hangtag import models
    from hangtag.predict.torch import TorchPredictor
    from hangtag.training import machine
    from hangtag.training.interrupt import Stop
    from hangtag.training.loop import fit

    chosen = recipes.from_dict(recipe)
    assert isinstance(chosen, NetworkRecipe)
    dataset = datasets.find(data, name=name, size=chosen.size, colour=chosen.colour, progress=watch.reading)
    everything = dataset.training()
    everything.digest()  # as a run takes it: part of its start
    training, validation = training_and_validation(dataset, everything)
    where = machine.choose_device(device)
    prefers = models.register.facts(chosen.model.name).get("precision")
    ended: list[float] = []
    few = training.take(np.arange(min(len(training), _STEPS * chosen.batch_size)))
    per_epoch = math.ceil(len(few) / chosen.batch_size)

    def stepped(now: Any) -> None:
        if not ended:
            started.append(process_age_s())
        ended.append(time.perf_counter())
        watch.progress(now)

    started: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            replace(chosen, epochs=max(2, math.ceil(2 * _STEPS / per_epoch)), prune=0.0, patience=None),
            few,
            None,
            device=where,
            precision=machine.choose_precision(chosen.precision, prefers, where),
            checkpoints=Path(folder),
            stop=Stop(),
            clock=process_age_s,
            watch=stepped,
        )
    between = [later - earlier for earlier, later in itertools.pairwise(ended)]
    over_an_end = [gap for i, gap in enumerate(between, 1) if i % per_epoch == 0]  # a checkpoint lies in these
    inside = [gap for i, gap in enumerate(between, 1) if i % per_epoch and i > _WARM] or between
    step_s = statistics.median(inside)
    checkpoint_s = max(0.0, statistics.median(over_an_end) - step_s) if per_epoch > 1 and over_an_end else 0.0
    predictor, some = TorchPredictor(fitted.deployed, training.class_names), validation.images[:_JUDGED]
    began = time.perf_counter()
    predictor.predict_proba(some)
    judging_s = (time.perf_counter() - began) / len(some) * len(validation)
    steps = math.ceil(len(training) / chosen.batch_size) * (1 - _EASY * chosen.prune)
    return {
        "startup_s": round(started[0], 3),
        "step_s": round(step_s, 6),
        "epoch_s": round(steps * step_s + judging_s + checkpoint_s, 3),
        "steps": len(inside),
    }
