"""HT008: pictures that are blank, or unlike all others."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT = 0.01  # share of the test pictures


@register("odd_pictures", code="HT008")
def odd_pictures(evidence: Evidence) -> Finding | None:
    """Share of test pictures that are odd."""
    if evidence.odd_pictures is None:
        return None
    number, n = evidence.odd_pictures, evidence.evaluation.n
    severity: Severity = "warning" if number / n >= LIMIT else "note" if number else "good"
    return Finding(
        code="HT008",
        name="odd pictures",
        severity=severity,
        sentence=f"Of {n:,} test pictures {number:,} are blank, inverted, or far from all others of their class.",
        number=number / n,
        threshold=LIMIT,
        unit="share",
        cure="Look at them in section Data quality: scanning faults and strangers belong out of the set.",
    )
