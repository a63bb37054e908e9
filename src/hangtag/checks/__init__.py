"""Checks of a trained model, one per file: functions `(Evidence) -> Finding | None`. NumPy only.

A check measures one number, holds it against one limit and says what to do about it. A pass is a finding too, of
severity "good", with its number. None: there is nothing to judge by (no validation pictures, say). Every file states
its code (`HT001`), which is never given to another check; `docs/findings.md` explains each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from hangtag.core.registry import Registry
from hangtag.core.types import Labels, Probabilities
from hangtag.evaluation import Evaluation

Severity: TypeAlias = Literal["serious", "warning", "note", "good"]
SEVERITIES: tuple[Severity, ...] = ("serious", "warning", "note", "good")
Unit: TypeAlias = Literal["share", "points", "times"]

Z = 1.959964  # 95% of a normal distribution lies within so many standard deviations


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found.

    Args:
        code: stable, `HT` and three digits.
        name: the check's name in words.
        severity: "serious", "warning", "note" or "good".
        sentence: what is so, in plain words.
        number: what was measured. Shares and points are fractions: 0.05 is 5%, or 5 points.
        threshold: from where on it is no longer good.
        unit: of both.
        bound: whether the number should stay below the threshold ("most") or above ("least").
        cure: what to do; emptied where the severity is "good".
    """

    code: str
    name: str
    severity: Severity
    sentence: str
    number: float
    threshold: float
    unit: Unit
    bound: Literal["most", "least"] = "most"
    cure: str = ""

    def __post_init__(self) -> None:
        """What is good needs no cure, so that a check may name its cure once."""
        if self.severity == "good":
            object.__setattr__(self, "cure", "")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "sentence": self.sentence,
            "number": self.number,
            "threshold": self.threshold,
            "unit": self.unit,
            "bound": self.bound,
            "cure": self.cure,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """Everything a check may look at. What is None or empty could not be had.

    Args:
        evaluation: on the test pictures.
        probabilities: (N, K) on the test pictures.
        labels: (N,) of the test pictures.
        training_accuracy: on pictures learnt from, as they are, without augmentation.
        training_n: how many those were.
        training_counts: training pictures per class.
        validation: on the pictures held out of training.
        history: one record per epoch, as the card keeps them.
        suspect_labels: test labels that are probably wrong.
        twins_across: test pictures with a near-duplicate among the training pictures.
        odd_pictures: test pictures that are blank, or unlike all others.
    """

    evaluation: Evaluation
    probabilities: Probabilities
    labels: Labels
    training_accuracy: float | None = None
    training_n: int = 0
    training_counts: Mapping[str, int] = field(default_factory=dict)
    validation: Evaluation | None = None
    history: Sequence[Mapping[str, Any]] = ()
    suspect_labels: int | None = None
    twins_across: int | None = None
    odd_pictures: int | None = None


Check: TypeAlias = Callable[[Evidence], Finding | None]
register: Registry[Check] = Registry("check", __name__)


def run(evidence: Evidence) -> list[Finding]:
    """Every check's finding, the gravest first, then by code."""
    found = [finding for name in register.names() if (finding := register.get(name)(evidence)) is not None]
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))


def noise_of(share: float, n: int) -> float:
    """Half the width of the 95% interval of a share seen on `n` pictures, after Wald."""
    return Z * math.sqrt(share * (1 - share) / max(1, n))
