"""Drawn garments so few, and a network so small, that a whole study takes seconds."""

import os

import pytest
import torch

from hangtag import experiment
from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.data.sets import drawn
from hangtag.watch import Watch

RECIPE = NetworkRecipe(
    name="tiny",
    data="drawn",
    model=Part("lenet5", filters=(2, 4), dense=(16, 8)),
    optimiser=Part("adam", lr=0.01),
    batch_size=32,
    epochs=1,
)


def quiet() -> Watch:
    return Watch()


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 240)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 100)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # nobody cuts the power here
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """trained(name, **changes) -> the bundle of a run, made once."""
    made: dict[str, str] = {}
    root = tmp_path_factory.mktemp("bundles")

    def train(name: str, full: bool = False, **changes) -> str:
        if name not in made:
            from dataclasses import replace

            run = experiment.run(replace(RECIPE, name=name, **changes), out=root / name, full=full, watch=quiet())
            made[name] = str(run.bundle)
        return made[name]

    return train
