"""Whether an answer can be acted on: thresholds that a card keeps, and what they make of an answer.

A model is right more often where it is surer. Of held-out images the card keeps how often, so that a threshold can be
found for a stated accuracy: what lies above is accepted, what lies below is for a person to look at (selective
classification; Geifman and El-Yaniv 2017, arXiv 1705.08500). Where a model says how much an image looks like any of
its classes (the output `known`), what looks too little like them is called so before confidence counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from hangtag.core.errors import HangtagError

Status: TypeAlias = Literal["accept", "unsure", "none_of_these"]
NONE_OF_THESE: Final = "none_of_these"
STATUSES: tuple[Status, ...] = ("accept", "unsure", NONE_OF_THESE)
WORDS: dict[Status, str] = {"accept": "accepted", "unsure": "unsure", NONE_OF_THESE: "none of these"}
"""What people read of a status."""
ACCEPT_AT = 0.98
"""The accuracy that accepted answers should have, if nothing else is stated."""
UNMEASURED = 0.9
"""The confidence from which answers of a model without thresholds in its card are accepted."""


@dataclass(frozen=True)
class Decision:
    """From which confidence on answers are accepted, and which images show none of the classes.

    Args:
        confidence: in [0, 1]; above 1 nothing is.
        accept_at: the accuracy of held-out images that it was chosen for; None where it was chosen for none.
        known: below this, in [0, 1], an image shows none of the classes; None where nobody measured it.
        kept: share of the held-out images of the classes that are at or above `known`, if the card says so.
    """

    confidence: float = UNMEASURED
    accept_at: float | None = None
    known: float | None = None
    kept: float | None = None

    def status(self, confidence: float, known: float | None = None) -> Status:
        """What an answer of this confidence is, of a model that may say how known the image is."""
        if self._is_strange(known):
            return NONE_OF_THESE
        return "accept" if confidence >= self.confidence else "unsure"

    def why(self, confidence: float, known: float | None = None) -> str:
        """The same in a sentence."""
        if self._is_strange(known):
            reach = "" if self.kept is None else f", which {self.kept:.0%} of the held-out images of the classes reach"
            return f"It looks too little like any of the classes: {known:.1%} is below {self.known:.1%}{reach}."
        compared = "at or above" if confidence >= self.confidence else "below"
        if self.accept_at is None:
            return f"Confidence {confidence:.1%} is {compared} {self.confidence:.0%}; no threshold was measured."
        if self.confidence > 1:
            return f"No threshold of this model was {self.accept_at:.1%} right on held-out images."
        limit = f"{self.confidence:.1%}, from which {self.accept_at:.1%} or more of the held-out images were right"
        return f"Confidence {confidence:.1%} is {compared} {limit}."

    def _is_strange(self, known: float | None) -> bool:
        return self.known is not None and known is not None and known < self.known


def decision_for(record: Mapping[str, Any], accept_at: float | None = None) -> Decision:
    """The thresholds for a stated accuracy.

    Args:
        record: `Card.decision`: `{"curve": [[threshold, coverage, accuracy], ...], "n", "data"}`, thresholds falling;
            where they were chosen already `"confidence"` and `"accept_at"`; where the model has an output `known`,
            `"known"` and `"known_curve": [[threshold, share of the images of the classes that is kept], ...]`; empty
            for a model that has none.
        accept_at: the accuracy asked for, in (0, 1); None: the card's, else `ACCEPT_AT`.

    Raises:
        HangtagError: `usage_value` for an accuracy that is none, or of a model without thresholds;
            `bundle_incompatible` for a record that makes no sense.
    """
    if accept_at is not None and not (isinstance(accept_at, int | float) and 0 < accept_at < 1):
        raise HangtagError("usage_value", f"the accuracy to accept at should be between 0 and 1, not {accept_at!r}")
    try:
        curve = [(float(threshold), float(accuracy)) for threshold, _, accuracy in record.get("curve", ())]
        known = None if record.get("known") is None else float(record["known"])
        kept = {float(threshold): float(share) for threshold, share in record.get("known_curve", ())}.get(known or 0.0)
        chosen = None if record.get("confidence") is None else float(record["confidence"])
        stated = float(record.get("accept_at") or ACCEPT_AT)
    except (TypeError, ValueError) as error:
        raise HangtagError("bundle_incompatible", "the thresholds in the model's card make no sense") from error
    if accept_at is None and chosen is not None:
        return Decision(chosen, stated, known, kept)
    if not curve:
        if accept_at is not None:
            raise HangtagError(
                "usage_value", "this model's card holds no thresholds: train it again with validation images"
            )
        return Decision(known=known, kept=kept)
    wanted = stated if accept_at is None else accept_at
    met = [threshold for threshold, accuracy in curve if accuracy >= wanted]
    return Decision(min(met, default=1.01), wanted, known, kept)
