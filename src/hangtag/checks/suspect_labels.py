"""HT006: labels that are probably wrong."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT, GRAVE = 0.01, 0.05  # share of the test pictures


@register("suspect_labels", code="HT006")
def suspect_labels(evidence: Evidence) -> Finding | None:
    """Share of test pictures whose label confident learning doubts."""
    if evidence.suspect_labels is None:
        return None
    number, n = evidence.suspect_labels, evidence.evaluation.n
    share = number / n
    severity: Severity = "serious" if share >= GRAVE else "warning" if share >= LIMIT else "note" if number else "good"
    if number:
        sentence = f"Of {n:,} test labels {number:,} are probably wrong: the model is punished for being right there."
    else:
        sentence = f"None of the {n:,} test labels looks wrong."
    return Finding(
        code="HT006",
        name="suspect labels",
        severity=severity,
        sentence=sentence,
        number=share,
        threshold=LIMIT,
        unit="share",
        cure="Go through the gallery in section Data quality, correct what is wrong (its CSV lists each), and judge "
        "again.",
    )
