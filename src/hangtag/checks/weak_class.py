"""HT004: one class far below the others."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, noise_of, register

LIMIT, GRAVE = 0.10, 0.25  # points of F1 below the mean of the classes


@register("weak_class", code="HT004")
def weak_class(evidence: Evidence) -> Finding | None:
    """How far the lowest F1 lies below macro F1; within chance of so few pictures it does not count."""
    judged = evidence.evaluation
    there = [row for row in judged.per_class if row["support"]]
    if len(there) < 2:
        return None
    mean = sum(row["f1"] for row in there) / len(there)
    weakest = min(there, key=lambda row: row["f1"])
    below = mean - weakest["f1"]
    severity: Severity = "serious" if below >= GRAVE else "warning" if below >= LIMIT else "good"
    if below <= noise_of(mean, weakest["support"]):
        severity = "good"
    facts = f"F1 {weakest['f1']:.1%}, the mean of all classes is {mean:.1%}"
    if severity == "good":
        sentence = f"No class lags far behind: the weakest, {weakest['label']}, has {facts}."
    else:
        sentence = (
            f"{weakest['label']} is the weak class: {facts}; {weakest['recall']:.1%} of its pictures are found, and "
            f"{weakest['precision']:.1%} of what is called so is right."
        )
    return Finding(
        code="HT004",
        name="weak class",
        severity=severity,
        sentence=sentence,
        number=below,
        threshold=LIMIT,
        unit="points",
        cure=f"Look at the mistakes with {weakest['label']}: are the labels right, could a person tell? Then add "
        "pictures of it and of what it is taken for, or merge classes nobody needs apart.",
    )
