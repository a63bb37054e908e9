"""HT007: test pictures that are near-copies of training pictures: the test is easier than it looks."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT, GRAVE = 0.005, 0.02  # share of the test pictures


@register("near_duplicates", code="HT007")
def near_duplicates(evidence: Evidence) -> Finding | None:
    """Share of test pictures with a near-duplicate among the training pictures."""
    if evidence.twins_across is None:
        return None
    number, n = evidence.twins_across, evidence.evaluation.n
    share = number / n
    severity: Severity = "serious" if share >= GRAVE else "warning" if share >= LIMIT else "note" if number else "good"
    if number:
        worth = f"they could flatter the accuracy by {100 * share:.2f} points at most"
        sentence = f"Of {n:,} test pictures {number:,} are near-copies of training pictures: {worth}."
    else:
        sentence = f"Not one of the {n:,} test pictures is a near-copy of a training picture."
    return Finding(
        code="HT007",
        name="near-duplicates across splits",
        severity=severity,
        sentence=sentence,
        number=share,
        threshold=LIMIT,
        unit="share",
        cure="Keep all pictures of one product in one split; take the pairs of section Data quality out of "
        "the test, or out of training.",
    )
