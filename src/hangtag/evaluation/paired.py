"""Two models on the same pictures: whether they differ, and by how much.

Sources: McNemar 1947, "Note on the sampling error of the difference between correlated proportions", in its exact form.
Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
data".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hangtag.core.optional import require
from hangtag.core.types import Labels, Probabilities
from hangtag.metrics._confusion import check


@dataclass(frozen=True)
class Paired:
    """Pictures counted by who was right."""

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int

    @property
    def n(self) -> int:
        """How many pictures both judged."""
        return self.both_right + self.only_first + self.only_second + self.both_wrong

    @property
    def difference(self) -> float:
        """Accuracy of the second less that of the first, in [-1, 1]."""
        return (self.only_second - self.only_first) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Where that difference lies on endlessly many such pictures, 19 times out of 20."""
        gained, lost, n = self.only_second + 1, self.only_first + 1, self.n + 2
        middle = (gained - lost) / n
        spread = 1.959964 * ((gained + lost - (gained - lost) ** 2 / n) ** 0.5) / n
        return max(-1.0, middle - spread), min(1.0, middle + spread)

    @property
    def p_value(self) -> float:
        """How often two equally good models would differ this much or more (McNemar's exact test, two-sided).

        Raises:
            HangtagError: `extra_missing` without SciPy.
        """
        differing = self.only_first + self.only_second
        if not differing:
            return 1.0
        return float(require("scipy.stats", extra="report").binomtest(self.only_first, differing).pvalue)


def paired(first: Probabilities, second: Probabilities, labels: Labels) -> Paired:
    """Count who is right where.

    Args:
        first, second: (N, K) answers of the two models on the same pictures.
        labels: (N,) true classes in [0, K).

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    check(first, labels)
    check(second, labels)
    one, two = first.argmax(axis=1) == labels, second.argmax(axis=1) == labels
    counts = (np.count_nonzero(cell) for cell in (one & two, one & ~two, ~one & two, ~one & ~two))
    return Paired(*map(int, counts))
