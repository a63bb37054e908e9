"""The confusion matrix as a table whose cells open their pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hangtag.report.judged import Judged

MOST_CLASSES = 120  # in the table: of more, those with the most mistakes
_LEVELS = (0.0, 0.005, 0.015, 0.04, 0.10, 0.25, 0.5, 0.8)  # shares of a row at which the colour deepens
ROOMY = 14  # classes up to which a cell holds its share too


@dataclass(frozen=True)
class Cell:
    """One pair of classes: its count, its share of the true class, and how deep its colour is, 0 to 8."""

    true: int
    said: int
    count: int
    share: float
    level: int


@dataclass(frozen=True)
class Confusion:
    """Rows are true classes, columns what they were taken for.

    Args:
        classes: indices of the classes shown.
        rows: a list of cells for each.
        commonest: the commonest mistakes, for those who do not read matrices.
        roomy: whether cells show their share too.
        left_out: classes that are not shown.
    """

    classes: list[int]
    rows: list[list[Cell]]
    commonest: list[Cell]
    roomy: bool
    left_out: int


def confusion(judged: Judged) -> Confusion:
    """All of it, or of very many classes those that go wrong most."""
    counts = judged.evaluation.confusion
    k = len(counts)
    wrong = counts * (1 - np.eye(k, dtype=np.int64))
    worst = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:MOST_CLASSES]
    classes = sorted(map(int, worst))
    cells = matrix(counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:10]
    commonest = [cells[int(place) // k][int(place) % k] for place in order]
    return Confusion(
        classes,
        [[cells[true][said] for said in classes] for true in classes],
        [one for one in commonest if one.count and one.true != one.said],
        k <= ROOMY,
        k - len(classes),
    )


def matrix(counts: NDArray[np.int64]) -> list[list[Cell]]:
    """A cell for each pair of classes of a (K, K) table of counts, rows true."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    levels = np.where(counts, np.searchsorted(_LEVELS, shares, side="right"), 0)
    numbers = range(len(counts))
    return [[Cell(i, j, int(counts[i, j]), float(shares[i, j]), int(levels[i, j])) for j in numbers] for i in numbers]
