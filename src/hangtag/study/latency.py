"""How quick answers are: all models in turn, round after round, so that a disturbance meets all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from hangtag.core.types import Pictures, Predictor

BATCH = 256  # pictures at once, for throughput
_WARM = 5
_ROUNDS, _SINGLES = 40, 10  # 400 single pictures for each model: its 99th percentile is the fourth slowest
_BATCHES = 8
_ENOUGH_S = 4.0  # of one model: a slow one is asked less often
_FEWEST = 3  # rounds


@dataclass(frozen=True)
class Latency:
    """Of one model, as served.

    Args:
        p50_ms, p99_ms: milliseconds for one picture alone, the median and the 99th percentile.
        images_per_s: pictures per second, BATCH at once, the median.
        n: how many single pictures were timed.
    """

    p50_ms: float
    p99_ms: float
    images_per_s: float
    n: int

    def to_dict(self) -> dict[str, float]:
        """Plain JSON types."""
        return asdict(self)


def measure(
    predictors: Sequence[Predictor],
    pictures: Sequence[Pictures],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Latency]:
    """Time `predictors` in turn.

    Args:
        predictors: M models.
        pictures: M stacks of one or more pictures, each of its model's size.
        progress: told (done, in all) after each round.
    """
    singles: list[list[float]] = [[] for _ in predictors]
    batches: list[list[float]] = [[] for _ in predictors]
    many = [np.resize(stack, (BATCH, *stack.shape[1:])) for stack in pictures]
    for predictor, stack, batch in zip(predictors, pictures, many, strict=True):
        for i in range(_WARM):
            predictor.predict_proba(stack[i % len(stack)][None])
        predictor.predict_proba(batch)
    for turn in range(_ROUNDS + _BATCHES):
        for m, predictor in enumerate(predictors):
            spent = singles[m] if turn < _ROUNDS else batches[m]
            rounds = turn if turn < _ROUNDS else turn - _ROUNDS
            if rounds >= _FEWEST and sum(spent) > _ENOUGH_S:
                continue
            for i in range(_SINGLES if turn < _ROUNDS else 1):
                asked = pictures[m][(turn * _SINGLES + i) % len(pictures[m])][None] if turn < _ROUNDS else many[m]
                began = time.perf_counter()
                predictor.predict_proba(asked)
                spent.append(time.perf_counter() - began)
        progress(turn + 1, _ROUNDS + _BATCHES)
    return [
        Latency(
            p50_ms=1000 * float(np.median(one)),
            p99_ms=1000 * float(np.percentile(one, 99)),
            images_per_s=BATCH / float(np.median(all_at_once)),
            n=len(one),
        )
        for one, all_at_once in zip(singles, batches, strict=True)
    ]
