"""Trials as they stand, and which of them is what: the start, the best, the front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from hangtag.study.space import Settings, plain

Objective: TypeAlias = Literal["accuracy", "accuracy-time"]
State: TypeAlias = Literal["waiting", "running", "complete", "pruned", "failed", "lost"]
"""Lost: its process vanished, and another trial was given its settings."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial. Accuracy on the validation pictures, seconds of training."""

    number: int
    state: State
    settings: Settings
    val_accuracy: float | None = None  # of a pruned one: when it was stopped
    seconds: float | None = None
    error: str | None = None
    same_as: int | None = None  # an earlier trial with the same settings, whose result it has

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        record = asdict(self)
        record["params"] = {key: plain(value) for key, value in record.pop("settings").items()}
        keys = ("number", "state", "params", "val_accuracy", "seconds", "error", "same_as")
        return {key: record[key] for key in keys}


def complete(trials: Sequence[Trial]) -> list[Trial]:
    """Those trained to the end."""
    return [trial for trial in trials if trial.state == "complete"]


def best(trials: Sequence[Trial], objective: Objective, start: Trial | None) -> Trial | None:
    """The most accurate; for "accuracy-time" the fastest that is no less accurate than the start."""
    done = complete(trials)
    if objective == "accuracy-time" and start is not None:
        return min((t for t in done if accuracy(t) >= accuracy(start)), key=seconds, default=None)
    return max(done, key=lambda trial: (accuracy(trial), -seconds(trial)), default=None)


def front(trials: Sequence[Trial]) -> list[Trial]:
    """Trials that no other beats in one of accuracy and seconds without losing in the other, the fastest first."""
    found: list[Trial] = []
    for trial in sorted(complete(trials), key=lambda trial: (seconds(trial), -accuracy(trial))):
        if not found or accuracy(trial) > accuracy(found[-1]):
            found.append(trial)
    return found


def accuracy(trial: Trial) -> float:
    """Of a complete trial."""
    assert trial.val_accuracy is not None
    return trial.val_accuracy


def seconds(trial: Trial) -> float:
    """Of a complete trial."""
    assert trial.seconds is not None
    return trial.seconds


def margin(accuracy: float, pictures: int) -> float:
    """Half of the 95% interval of an accuracy measured on so many pictures, by the normal approximation."""
    return 1.96 * math.sqrt(accuracy * (1 - accuracy) / pictures)
