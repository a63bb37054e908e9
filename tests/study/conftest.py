"""Drawn garments so few and networks so small that a study takes seconds; trainers and comparisons that are made up."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from sqlalchemy import Engine, event

from hangtag import experiment
from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.data import idx
from hangtag.data.sets import drawn
from hangtag.study import tune
from hangtag.study.compare import Comparison, Row
from hangtag.study.significance import Contender, letters, pairs
from hangtag.watch import Watch

N = 1000  # pictures of a comparison


@pytest.fixture(scope="session")
def garments(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `--data` takes: 440 pictures to learn from and 40 to validate on; other processes can read it too."""
    folder = tmp_path_factory.mktemp("garments")
    for half, count, seed in (("train", 480, 1), ("t10k", 20, 2)):
        split = drawn.pictures(count, seed)
        (folder / f"{half}-images-idx3-ubyte").write_bytes(idx.encode(split.images))
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(idx.encode(split.labels.astype(np.uint8)))
    return f"mnist={folder}"


class Pretended:
    """In place of `Trainers`: each run ends at once, as `ends` says of its recipe."""

    ran: list[tuple[int, Any]]  # number and recipe of every run that was started
    ends: Callable[[Any], dict[str, Any]]
    meddle: Callable[[int], None]

    def __init__(self, count: int, log: Path) -> None:
        self.free, self._said = count, list[tuple[int, dict[str, Any]]]()

    @property
    def busy(self) -> list[int]:
        return list(dict.fromkeys(number for number, _ in self._said))

    def start(self, number: int, recipe: Any, *, data: str | None, out: Path, device: str) -> None:
        type(self).ran.append((number, recipe))
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
        end = type(self).ends(recipe)
        for epoch in range(1, recipe.epochs + 1) if "done" in end else ():
            reached = end["done"]["val_accuracy"] * epoch / recipe.epochs
            self._said.append((number, {"epoch": epoch, "epochs": recipe.epochs, "val_accuracy": reached}))
        self._said.append((number, end))
        self.free -= 1

    def stop(self, number: int, how: str) -> None:
        self._said = [said for said in self._said if said[0] != number] + [(number, {"stopped": how})]

    def heard(self, wait_s: float) -> Iterator[tuple[int, dict[str, Any]]]:
        type(self).meddle(len(type(self).ran))
        if self._said:
            number, said = self._said.pop(0)
            self.free += bool(said.keys() & {"done", "failed", "stopped", "died"})
            yield number, said

    def close(self) -> None:
        self._said = []


def run(accuracy: float, seconds: float = 1.0) -> dict[str, Any]:
    return {"done": {"val_accuracy": accuracy, "seconds": seconds, "params": 1}}


@pytest.fixture
def run_of() -> Callable[..., dict[str, Any]]:
    """run_of(accuracy, seconds) -> what a trainer says at the end of such a run."""
    return run


@pytest.fixture
def unsafe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLite does not wait for the disk: nobody cuts the power here."""

    def hurry(connection: Any, record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", hurry)
    yield
    event.remove(Engine, "connect", hurry)


@pytest.fixture
def pretended(unsafe: None, monkeypatch: pytest.MonkeyPatch) -> type[Pretended]:
    """The better the nearer the learning rate is to 0.01, and the slower the more dropout."""

    class Mine(Pretended):
        ran: ClassVar = []
        meddle = staticmethod(lambda count: None)

        @staticmethod
        def ends(recipe: Any) -> dict[str, Any]:
            rate, dropout = recipe.optimiser.options["lr"], recipe.model.options.get("dropout", 0.0)
            return run(0.9 - abs(np.log10(rate) + 2) / 10, 10 - 5 * dropout)

    monkeypatch.setattr(tune, "Trainers", Mine)
    monkeypatch.setattr(tune, "_LOOK_S", 0.0)
    return Mine


def made_row(name: str, accuracies: tuple[float, ...], **facts) -> Row:
    run = {
        "loss": 0.3, "f1": 0.9, "val_accuracy": 0.9, "train_accuracy": 0.95, "seconds": 20.0, "peak_rss_mb": 400.0,
        "params": 60_000, "file_mb": 0.3, "epochs": 5, "bundle": "b", "per_class": {"bag": 0.9, "coat": 0.8},
        "fit": {"code": "HT000", "verdict": "good fit", "sentence": "Good fit: it knows."},
    }  # fmt: skip
    runs = tuple({**run, "accuracy": accuracy, **facts} for accuracy in accuracies)
    times = {"p50_ms": 0.1, "p99_ms": 0.2, "images_per_s": 30_000.0, "n": 400}
    return Row(
        name=name, seeds=tuple(range(len(runs))), runs=runs, failed=(), latency=times, trained=True, over_budget=False
    )  # fmt: skip


@pytest.fixture
def made(tmp_path):
    """made(name=accuracies, ...) -> a Comparison; rows=... adds rows as they are."""

    def make(rows: tuple[Row, ...] = (), folder: Path = tmp_path, **accuracies) -> Comparison:
        every = [*(made_row(name, given) for name, given in accuracies.items()), *rows]
        every.sort(key=lambda row: -row.accuracy)
        contenders = []
        for row in every:
            if row.runs:
                right = np.arange(N) < row.runs[0]["accuracy"] * N
                answers = np.where(right[:, None], [1.0, 0.0], [0.0, 1.0]).astype(np.float32)
                given = {seed: run["accuracy"] for seed, run in zip(row.seeds, row.runs, strict=True)}
                contenders.append(Contender(row.name, answers, given))
        held = pairs(contenders, np.zeros(N, np.int64))
        return Comparison(
            folder=folder, data="shop", split="test", pictures=N, seeds=(0,), budget_s=None, rows=tuple(every),
            pairs=tuple(held), letters=letters([one.name for one in contenders], held),
        )  # fmt: skip

    make.row = made_row
    return make


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


@pytest.fixture
def small(monkeypatch):
    """Few drawn garments, one thread, and no waiting for the disk."""
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
