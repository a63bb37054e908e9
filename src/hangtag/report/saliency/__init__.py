"""Where a model looks: for each mistake, which parts of the picture tip the balance between its answer and the truth.

Networks whose weights are in the bundle are asked for gradients (`gradients`, where captum is installed); all others
are shown the picture with one patch after another covered (`occlusion`), which asks for nothing but answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hangtag.core.card import WEIGHTS
from hangtag.core.errors import HangtagError
from hangtag.core.types import Labels, Pictures
from hangtag.evaluation.evaluation import Progress
from hangtag.report.judged import Judged

Explainer: TypeAlias = Callable[[Pictures, Labels, Labels], NDArray[np.float32]]
"""(N, H, W[, 3]) pictures, (N,) said, (N,) true -> (N, H, W) influence, 0 or more."""

BUDGET_S = 10.0  # of a report's time: a sixth of the minute that ten thousand pictures may take
BATCH = 32


@dataclass(frozen=True, eq=False)
class Maps:
    """Saliency maps of the first pictures asked for.

    Args:
        values: (M, H, W) in [0, 1], each map's largest value 1; M <= N if time ran out.
        method: how they were made, in words.
    """

    values: NDArray[np.float32]
    method: str


def explain(
    judged: Judged, chosen: NDArray[np.intp], progress: Progress | None = None, budget_s: float = BUDGET_S
) -> Maps:
    """Maps of the test pictures `chosen`, in that order, for as many as the time allows."""
    explainer, method = _choose(judged)
    images, said, true = judged.test.images[chosen], judged.predicted[chosen], judged.test.labels[chosen]
    maps = [np.zeros((0, *images.shape[1:3]), np.float32)]
    began = time.perf_counter()
    for start in range(0, len(chosen), BATCH):
        if time.perf_counter() - began > budget_s:
            break
        some = slice(start, start + BATCH)
        maps.append(scaled(explainer(images[some], said[some], true[some])))
        if progress is not None:
            progress("where it looks", min(start + BATCH, len(chosen)), len(chosen))
    if progress is not None:
        progress("where it looks", len(chosen), len(chosen))
    return Maps(np.concatenate(maps), method)


def scaled(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each map from its least to its largest value, as 0 to 1; a map without any difference is 0."""
    low = maps.min(axis=(1, 2), keepdims=True)
    span = maps.max(axis=(1, 2), keepdims=True) - low
    values: NDArray[np.float32] = np.where(span > 0, (maps - low) / np.maximum(span, 1e-12), 0).astype(np.float32)
    return values


def _choose(judged: Judged) -> tuple[Explainer, str]:
    if WEIGHTS in judged.bundle.files:
        try:
            from hangtag.report.saliency.gradients import Gradients

            return Gradients.of(judged.bundle), Gradients.METHOD
        except HangtagError as error:
            if not error.code.startswith("extra"):
                raise
    from hangtag.report.saliency.occlusion import METHOD, Occlusion

    return Occlusion(judged.predictor), METHOD
