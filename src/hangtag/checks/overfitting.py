"""HT001: much better on the pictures it learnt from than on new ones."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, noise_of, register

LIMIT, GRAVE = 0.05, 0.10  # points of accuracy


@register("overfitting", code="HT001")
def overfitting(evidence: Evidence) -> Finding | None:
    """Accuracy on training pictures, judged as served, less accuracy on test pictures; less than chance is no gap."""
    learnt, new = evidence.training_accuracy, evidence.evaluation.accuracy
    if learnt is None:
        return None
    gap = learnt - new
    noise = (noise_of(learnt, evidence.training_n) ** 2 + noise_of(new, evidence.evaluation.n) ** 2) ** 0.5
    beyond_chance = gap > noise
    severity: Severity = "serious" if gap >= GRAVE else "warning" if gap >= LIMIT else "good"
    if not beyond_chance:
        severity = "good"
    both = f"{learnt:.1%} right on pictures it learnt from, {new:.1%} on new ones"
    if severity == "good":
        sentence = f"It does about as well on new pictures as on those it learnt from: {both}."
    else:
        sentence = f"It has learnt some of its pictures by heart: {both}."
    return Finding(
        code="HT001",
        name="overfitting",
        severity=severity,
        sentence=sentence,
        number=gap,
        threshold=LIMIT,
        unit="points",
        cure="More pictures help most. Then: augmentation, early stopping (patience), dropout or weight decay, a "
        "smaller model.",
    )
