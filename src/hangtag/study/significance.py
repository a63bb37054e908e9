"""Which models differ, when every one is held against every other.

Sources: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure". Piepho 2004, "An Algorithm for a
Letter-Based Representation of All-Pairwise Comparisons" (insert and absorb).
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hangtag.core.optional import require
from hangtag.core.types import Labels, Probabilities
from hangtag.evaluation.paired import paired

LEVEL = 0.05  # chance of calling one or more differences real where there are none
FEWEST_SEEDS = 3  # for an interval over seeds: with two, Student's factor is 12.7 and the interval says nothing


@dataclass(frozen=True)
class Contender:
    """A model as the test sees it.

    Args:
        name: what it is called.
        answers: (N, K) probabilities of its first seed on the N pictures.
        accuracies: by seed; the first belongs to `answers`. A model nobody trained here has one, under None.
    """

    name: str
    answers: Probabilities
    accuracies: dict[int | None, float]


@dataclass(frozen=True)
class Pair:
    """Two models held against each other.

    Args:
        first, second: their names, the more accurate first.
        difference: accuracy of the first less that of the second, in [-1, 1].
        low, high: its 95% interval.
        interval: what that speaks of: "seeds", other trainings of the two recipes (Student's t over the differences
            seed by seed, from FEWEST_SEEDS on); "pictures", other pictures for the first seed's weights (Bonett and
            Price).
        p: McNemar's exact test on the first seed's answers.
        p_holm: the same, raised for the number of pairs.
        real: `p_holm` is below LEVEL, the interval leaves 0 out, and every seed has the same one ahead.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    interval: Literal["seeds", "pictures"]
    p: float
    p_holm: float
    real: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)

    @property
    def only_these_weights(self) -> bool:
        """The trained networks differ, but training them again could turn it round."""
        return self.p_holm < LEVEL and not self.real


def holm(p_values: Sequence[float]) -> list[float]:
    """The same p-values, each raised so that all can be held against one level at once.

    Of m values the smallest is multiplied by m, the next by m - 1, ...; none falls below the one before it, none
    exceeds 1.
    """
    raised, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        raised[i] = highest
    return raised


def pairs(contenders: Sequence[Contender], labels: Labels) -> list[Pair]:
    """Every two of `contenders`, which come in order of accuracy, the best first.

    Raises:
        HangtagError: `extra_missing` without SciPy.
    """
    both = list(itertools.combinations(contenders, 2))
    counted = [paired(second.answers, first.answers, labels) for first, second in both]  # difference: first - second
    p_values = [count.p_value for count in counted]
    found = []
    for (first, second), count, p, p_holm in zip(both, counted, p_values, holm(p_values), strict=True):
        seeds = [seed for seed in first.accuracies if seed is not None and seed in second.accuracies]
        by_seed = [first.accuracies[seed] - second.accuracies[seed] for seed in seeds] or [
            one - other for one in first.accuracies.values() for other in second.accuracies.values()
        ]  # one that nobody trained here has no seeds: it must be ahead of every training of the other, or behind
        over: Literal["seeds", "pictures"] = "seeds" if len(seeds) >= FEWEST_SEEDS else "pictures"
        if over == "seeds":
            difference, (low, high) = statistics.fmean(by_seed), t_interval(by_seed)
            low, high = max(-1.0, low), min(1.0, high)
        else:
            difference, (low, high) = count.difference, count.interval
        agreed = difference > 0 and all(one > 0 for one in by_seed)  # the better on average comes first
        real = p_holm < LEVEL and not low <= 0 <= high and agreed
        found.append(Pair(first.name, second.name, difference, low, high, over, p, p_holm, real))
    return found


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """95% interval of the mean of two or more values, after Student."""
    n = len(values)
    half = float(require("scipy.stats", extra="report").t.ppf(0.975, n - 1)) * statistics.stdev(values) / n**0.5
    middle = statistics.fmean(values)
    return middle - half, middle + half


def letters(names: Sequence[str], found: Sequence[Pair]) -> dict[str, str]:
    """A few letters for each name: two that share one are not told apart, two that share none differ.

    Args:
        names: the best first; the first gets "a".
        found: every two of them.
    """
    groups: list[set[str]] = [set(names)]
    for pair in found:
        if not pair.real:
            continue
        split: list[set[str]] = []
        for group in groups:
            if pair.first in group and pair.second in group:
                split += [group - {pair.first}, group - {pair.second}]
            else:
                split.append(group)
        groups = [
            group
            for i, group in enumerate(split)
            if not any(group < other or (group == other and j < i) for j, other in enumerate(split))
        ]
    place = {name: i for i, name in enumerate(names)}
    groups.sort(key=lambda group: sorted(place[name] for name in group))
    return {name: "".join(_letter(i) for i, group in enumerate(groups) if name in group) for name in names}


def _letter(i: int) -> str:
    return chr(ord("a") + i) if i < 26 else f"{_letter(i // 26 - 1)}{_letter(i % 26)}"
