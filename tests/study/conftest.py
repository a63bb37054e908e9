"""Comparisons made up from accuracies."""

from pathlib import Path

import numpy as np
import pytest

from hangtag.study.compare import Comparison, Row
from hangtag.study.significance import Contender, letters, pairs

N = 1000


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
