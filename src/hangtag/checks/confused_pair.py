"""HT011: much of what goes wrong is two classes taken for each other."""

from __future__ import annotations

import numpy as np

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT = 0.25  # share of all mistakes
FEWEST = 10  # mistakes: fewer make no pattern


@register("confused_pair", code="HT011")
def confused_pair(evidence: Evidence) -> Finding | None:
    """Share of all mistakes that lies between the two classes most often taken for each other."""
    judged = evidence.evaluation
    wrong = judged.confusion * (1 - np.eye(len(judged.class_names), dtype=np.int64))
    mistakes = int(wrong.sum())
    if mistakes < FEWEST or len(judged.class_names) < 3:
        return None
    between = np.triu(wrong + wrong.T)
    first, second = divmod(int(between.argmax()), len(judged.class_names))
    number = int(between[first, second])
    share = number / mistakes
    severity: Severity = "note" if share >= LIMIT else "good"
    names = f"{judged.class_names[first]} and {judged.class_names[second]}"
    return Finding(
        code="HT011",
        name="confused pair",
        severity=severity,
        sentence=f"{names} are taken for each other {number:,} times, {share:.0%} of all {mistakes:,} mistakes."
        if severity == "note"
        else f"Mistakes are spread out: the commonest pair, {names}, makes {share:.0%} of all {mistakes:,}.",
        number=share,
        threshold=LIMIT,
        unit="share",
        cure=f"Decide by what a person tells {names} apart, and whether the pictures show it "
        "(size, cut-off, resolution).",
    )
