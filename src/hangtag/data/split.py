"""A validation split that every machine cuts alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.types import Labels, Split

VALIDATION_SEED = 0
"""Fixed, and apart from a run's seed: runs that are compared are judged on the same pictures."""


def stratified(split: Split, held_out: int | None = None, seed: int = VALIDATION_SEED) -> tuple[Split, Split]:
    """Cut `split` in two, class by class in the same proportion; each part keeps the original order.

    Args:
        split: the pictures to part.
        held_out: how many the second part gets; a twelfth if not given (5,000 of Fashion-MNIST's 60,000). Where classes
            are so small that one picture each is already more, or all but one less, the number gives way.
        seed: which cut.

    Returns:
        (training, validation). Equal arguments give equal parts on every platform and with every version of NumPy: the
        pictures of a class are ordered by the raw output of Philox, which NumPy promises never to change, unlike
        `permutation`'s.

    Raises:
        HangtagError: `data_count`, if there are too few pictures to part.
    """
    chosen = validation_of(split, held_out, seed)
    return split.take(np.flatnonzero(~chosen)), split.take(np.flatnonzero(chosen))


def validation_of(split: Split, held_out: int | None = None, seed: int = VALIDATION_SEED) -> NDArray[np.bool_]:
    """(N,) true for the pictures of `stratified`'s second part."""
    return held_out_of(split.labels, max(1, len(split) // 12) if held_out is None else held_out, seed)


def held_out_of(labels: Labels, held_out: int, seed: int) -> NDArray[np.bool_]:
    """(N,) true for the pictures of the second part; see `stratified`."""
    counts = np.bincount(labels)
    if not 0 < held_out < len(labels) or counts.max() < 2:
        raise HangtagError("data_count", f"cannot hold {held_out:,} of {len(labels):,} pictures out: add more pictures")
    shares = counts * held_out / len(labels)
    take = np.floor(shares).astype(np.int64)
    left_over = held_out - int(take.sum())
    take[np.argsort(take - shares, kind="stable")[:left_over]] += 1  # largest remainder first
    take = np.clip(take, np.minimum(1, np.maximum(counts - 1, 0)), np.maximum(counts - 1, 0))

    chosen = np.zeros(len(labels), dtype=np.bool_)
    for label, number in enumerate(take):
        members = np.flatnonzero(labels == label)
        draws = np.random.Philox(key=[seed, label]).random_raw(len(members))
        chosen[members[np.argsort(draws, kind="stable")[:number]]] = True
    return chosen
