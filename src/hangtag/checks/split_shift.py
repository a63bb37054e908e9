"""HT013: validation promised another accuracy than the test shows."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, noise_of, register

LIMIT = 0.02  # points of accuracy


@register("split_shift", code="HT013")
def split_shift(evidence: Evidence) -> Finding | None:
    """Accuracy on validation pictures less that on test pictures, either way, beyond chance."""
    if evidence.validation is None:
        return None
    held_out, judged = evidence.validation, evidence.evaluation
    apart = held_out.accuracy - judged.accuracy
    noise = (noise_of(held_out.accuracy, held_out.n) ** 2 + noise_of(judged.accuracy, judged.n) ** 2) ** 0.5
    severity: Severity = "note" if abs(apart) >= LIMIT and abs(apart) > noise else "good"
    both = f"{held_out.accuracy:.1%} on validation pictures, {judged.accuracy:.1%} on test pictures"
    return Finding(
        code="HT013",
        name="validation differs from test",
        severity=severity,
        sentence=f"Validation told the truth: {both}."
        if severity == "good"
        else f"Test pictures are {'harder' if apart > 0 else 'easier'} than validation pictures: {both}.",
        number=abs(apart),
        threshold=LIMIT,
        unit="points",
        cure="Were they taken otherwise, or later? Or was much chosen on validation? Trust the test, and draw new "
        "validation pictures.",
    )
