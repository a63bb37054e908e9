"""HT012: wrong although it is all but certain."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, noise_of, register

CERTAIN = 0.99
LIMIT, GRAVE = 0.01, 0.05  # share that is wrong of what it is certain of
FEWEST = 100  # pictures it is certain of


@register("confident_mistakes", code="HT012")
def confident_mistakes(evidence: Evidence) -> Finding | None:
    """Share of mistakes among the pictures labelled with 99% confidence or more: at most 1% is what that means."""
    certain = evidence.probabilities.max(axis=1) >= CERTAIN
    n = int(certain.sum())
    if n < FEWEST:
        return None
    wrong = int((evidence.probabilities.argmax(axis=1) != evidence.labels)[certain].sum())
    share = wrong / n
    severity: Severity = "serious" if share >= GRAVE else "warning" if share > LIMIT + noise_of(LIMIT, n) else "good"
    return Finding(
        code="HT012",
        name="confident mistakes",
        severity=severity,
        sentence=f"Of {n:,} pictures it was at least 99% sure of, {wrong:,} are wrong ({share:.2%}).",
        number=share,
        threshold=LIMIT,
        unit="share",
        cure="Do not let its confidence decide alone which pictures go unchecked; use the "
        "temperature of section Calibration.",
    )
