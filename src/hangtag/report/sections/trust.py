"""Calibration: the reliability diagram, the temperature, and what a threshold on confidence would buy."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from hangtag.metrics._temperature import tempered
from hangtag.report.figures.reliability import reliability
from hangtag.report.judged import Judged

LEVELS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Accepted:
    """What happens if only labels of at least some confidence are accepted."""

    least: float
    share: float
    right: float | None  # None: nothing is that sure


@dataclass(frozen=True)
class Trust:
    """The section's figure and table."""

    figure: Markup
    accepted: list[Accepted]


def trust(judged: Judged) -> Trust:
    """As served, and with the temperature if there is one."""
    temperature = judged.calibration.temperature
    after = None if temperature is None else tempered(judged.probabilities, temperature)
    correct = judged.predicted == judged.test.labels
    rows = []
    for least in LEVELS:
        chosen = judged.confidence >= least
        right = float(correct[chosen].mean()) if chosen.any() else None
        rows.append(Accepted(least, float(chosen.mean()), right))
    return Trust(reliability(judged.probabilities, judged.test.labels, after), rows)
