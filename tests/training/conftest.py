"""A network and pictures so small that a run takes a tenth of a second."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hangtag import models
from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.core.types import Split
from hangtag.training.interrupt import Stop
from hangtag.training.loop import Fitted, fit


@models.register("test_tiny")
class Tiny(nn.Module):
    """Convolution, batch norm, dropout, a hidden layer: everything that has a state or draws at random."""

    def __init__(self, num_classes: int, in_channels: int, size: int, *, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten()
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(4 * ((size - 1) // 2 - 2) ** 2, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.layers(images)))
        return logits


def some(n: int, seed: int = 0, colour: bool = False) -> Split:
    """Bright or dark halves, three classes, 8 pixels: learnt in a few steps, drawn in none."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = rng.integers(0, 60, (n, 8, 8, 3) if colour else (n, 8, 8)).astype(np.uint8)
    for label in range(3):
        images[labels == label, label * 3 : label * 3 + 2] += 120
    return Split(images, labels.astype(np.int64), ("top", "middle", "bottom"))


class Trainer:
    """`fit` on tiny pictures, with everything but the recipe given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.training, self.validation = some(70), some(30, seed=1)
        self.messages: list[str] = []

    def recipe(self, **changes) -> NetworkRecipe:
        settings = {"model": Part("test_tiny"), "batch_size": 16, "epochs": 3, "size": 8}
        return NetworkRecipe(name="tiny", **{**settings, **changes})

    def fit(self, recipe: NetworkRecipe | None = None, out: str = "run", **given) -> Fitted:
        settings = {
            "device": torch.device("cpu"),
            "precision": "fp32",
            "checkpoints": self.folder / out / "checkpoints",
            "stop": Stop(),
            "clock": lambda: 1.0,
            "warn": self.messages.append,
        }
        pictures = (given.pop("training", self.training), given.pop("validation", self.validation))
        return fit(recipe or self.recipe(), *pictures, **{**settings, **given})

    def stopped_at(self, step: int, recipe: NetworkRecipe | None = None, out: str = "run", **given) -> None:
        """Train until `step`, then be told to stop, as by Ctrl-C."""
        stop = Stop()
        with pytest.raises(KeyboardInterrupt):
            self.fit(recipe, out, stop=stop, watch=self.at(step, lambda: setattr(stop, "requested", True)), **given)

    def killed_at(self, step: int, recipe: NetworkRecipe | None = None, out: str = "run", **given) -> None:
        """Train until `step` and vanish without a word, as by kill -9: only what is on disk remains."""

        def vanish() -> None:
            raise Killed

        with pytest.raises(Killed):
            self.fit(recipe, out, watch=self.at(step, vanish), **given)

    @staticmethod
    def at(step: int, act: Callable[[], None]):
        return lambda progress: act() if progress.step == step else None


class Killed(BaseException):
    """Nothing catches this."""


def digest(fitted: Fitted) -> str:
    """SHA-256 over names and bits of all weights and buffers."""
    state = hashlib.sha256()
    for name, tensor in sorted(fitted.deployed.model.state_dict().items()):
        state.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return state.hexdigest()


@pytest.fixture
def trainer(tmp_path) -> Trainer:
    return Trainer(tmp_path)


@pytest.fixture
def digest_of():
    return digest


@pytest.fixture
def pictures():
    return some


@pytest.fixture(autouse=True)
def _patient_disk(monkeypatch):
    """Nobody cuts the power during these tests: thousands of fsyncs would take minutes."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
