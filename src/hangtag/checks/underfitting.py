"""HT002: wrong even on the pictures it learnt from, or no better than always naming the commonest class."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, noise_of, register

LIMIT = 0.90  # accuracy on training pictures


@register("underfitting", code="HT002")
def underfitting(evidence: Evidence) -> Finding | None:
    """Accuracy on training pictures; serious where one answer for all would do as well on the test pictures."""
    if evidence.training_accuracy is None:
        return None
    learnt, judged = evidence.training_accuracy, evidence.evaluation
    commonest = max(row["support"] for row in judged.per_class) / judged.n
    idle = judged.accuracy <= commonest + noise_of(commonest, judged.n) and learnt < LIMIT
    severity: Severity = "serious" if idle else "good" if learnt >= LIMIT else "warning"
    if idle:
        sentence = f"It has learnt next to nothing: always naming one class would be right {commonest:.1%} of the time."
    elif severity == "warning":
        sentence = (
            f"It gets {1 - learnt:.1%} wrong even of what it learnt from: it is too simple, or trained too short."
        )
    else:
        sentence = f"It has learnt its pictures: {learnt:.1%} of {evidence.training_n:,} it learnt from are right."
    return Finding(
        code="HT002",
        name="underfitting",
        severity=severity,
        sentence=sentence,
        number=learnt,
        threshold=LIMIT,
        unit="share",
        bound="least",
        cure="Train for more epochs, with a larger model or a higher learning rate, or with less augmentation. "
        "If classes cannot be told apart by eye either, this is the ceiling.",
    )
