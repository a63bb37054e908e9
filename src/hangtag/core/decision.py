"""Whether an answer can be acted on: thresholds that a card keeps, and what they make of an answer.

A model is right more often where it is surer. Of held-out images the card keeps how often, so that a threshold can be
found for a stated accuracy: what lies above is accepted, what lies below is for a person to look at (selective
classification; Geifman and El-Yaniv 2017, arXiv 1705.08500).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hangtag.core.errors import HangtagError

Status: TypeAlias = Literal["accept", "unsure"]
ACCEPT_AT = 0.98
"""The accuracy that accepted answers should have, if nothing else is stated."""
UNMEASURED = 0.9
"""The confidence from which answers of a model without thresholds in its card are accepted."""


@dataclass(frozen=True)
class Decision:
    """From which confidence on answers are accepted.

    Args:
        confidence: in [0, 1]; above 1 nothing is.
        accept_at: the accuracy of held-out images that it was chosen for; None where it was chosen for none.
    """

    confidence: float = UNMEASURED
    accept_at: float | None = None

    def status(self, confidence: float) -> Status:
        """What an answer of this confidence is."""
        return "accept" if confidence >= self.confidence else "unsure"

    def why(self, confidence: float) -> str:
        """The same in a sentence."""
        compared = "at or above" if confidence >= self.confidence else "below"
        if self.accept_at is None:
            return f"Confidence {confidence:.1%} is {compared} {self.confidence:.0%}; no threshold was measured."
        if self.confidence > 1:
            return f"No threshold of this model was {self.accept_at:.1%} right on held-out images."
        limit = f"{self.confidence:.1%}, from which {self.accept_at:.1%} or more of the held-out images were right"
        return f"Confidence {confidence:.1%} is {compared} {limit}."


def decision_for(record: Mapping[str, Any], accept_at: float | None = None) -> Decision:
    """The thresholds for a stated accuracy.

    Args:
        record: `Card.decision`: `{"curve": [[threshold, coverage, accuracy], ...], "n", "data"}`, thresholds falling;
            empty for a model that has none.
        accept_at: the accuracy asked for, in (0, 1); None: `ACCEPT_AT`.

    Raises:
        HangtagError: `usage_value` for an accuracy that is none, or of a model without thresholds.
    """
    if accept_at is not None and not 0 < accept_at < 1:
        raise HangtagError("usage_value", f"the accuracy to accept at should be between 0 and 1, not {accept_at}")
    if not record:
        if accept_at is not None:
            raise HangtagError(
                "usage_value", "this model's card holds no thresholds: train it again with validation images"
            )
        return Decision()
    wanted = ACCEPT_AT if accept_at is None else accept_at
    met = [threshold for threshold, _, accuracy in record["curve"] if accuracy >= wanted]
    return Decision(min(met, default=1.01), wanted)
