"""HT010: too few test pictures to be sure of the accuracy."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT, GRAVE = 0.02, 0.05  # half the width of the 95% interval, in points


@register("few_pictures", code="HT010")
def few_pictures(evidence: Evidence) -> Finding | None:
    """Half the width of the accuracy's 95% interval."""
    low, high = evidence.evaluation.accuracy_interval
    half, n = (high - low) / 2, evidence.evaluation.n
    severity: Severity = "warning" if half >= GRAVE else "note" if half >= LIMIT else "good"
    measured = f"with {n:,} test picture{'s' if n > 1 else ''} the accuracy is known to ± {100 * half:.1f} points"
    wanted = n * (half / LIMIT) ** 2  # the interval narrows as the root of n
    return Finding(
        code="HT010",
        name="few test pictures",
        severity=severity,
        sentence=f"{measured[0].upper()}{measured[1:]}.",
        number=half,
        threshold=LIMIT,
        unit="points",
        cure=f"Set more pictures apart for the test: about {_rounded(wanted):,} would do.",
    )


def _rounded(number: float) -> int:
    """Up to two figures."""
    digits = 10 ** max(0, len(str(int(number))) - 2)
    return int(-(-number // digits) * digits)
