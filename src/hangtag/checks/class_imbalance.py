"""HT005: some classes have many times the pictures of others to learn from."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT, GRAVE = 3.0, 10.0  # largest class over smallest


@register("class_imbalance", code="HT005")
def class_imbalance(evidence: Evidence) -> Finding | None:
    """Training pictures of the largest class over those of the smallest."""
    if not evidence.training_counts:
        return None
    counts = sorted(evidence.training_counts.items(), key=lambda item: item[1])
    (least, fewest), (most, many) = counts[0], counts[-1]
    ratio = many / max(1, fewest)
    severity: Severity = "warning" if ratio >= GRAVE else "note" if ratio >= LIMIT else "good"
    if severity == "good":
        sentence = f"The classes are about equally large: {fewest:,} to {many:,} pictures to learn from."
    else:
        sentence = f"{most} has {many:,} pictures to learn from, {least} only {fewest:,}."
    return Finding(
        code="HT005",
        name="class imbalance",
        severity=severity,
        sentence=sentence,
        number=ratio,
        threshold=LIMIT,
        unit="times",
        cure=f"Collect pictures of {least} and other small classes first, or train with --set class_weights=balanced, "
        "and judge by macro F1, where every class counts the same.",
    )
