"""HT000: neither overfitted nor underfitted."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, register
from hangtag.checks.overfitting import LIMIT as GAP
from hangtag.checks.overfitting import overfitting
from hangtag.checks.underfitting import LIMIT as LEARNT
from hangtag.checks.underfitting import underfitting


@register("good_fit", code="HT000")
def good_fit(evidence: Evidence) -> Finding | None:
    """Good if both other checks are; otherwise they speak, and this one is silent."""
    over, under = overfitting(evidence), underfitting(evidence)
    if over is None or under is None or {over.severity, under.severity} != {"good"}:
        return None
    less = f"{100 * over.number:.1f} points less"
    if over.number <= 0:
        carried = "is right as often on new ones"
    elif over.number < GAP:
        carried = f"carries that over to new ones ({less}, {100 * GAP:.0f} allowed)"
    else:  # so few pictures that the other check does not speak of a gap
        carried = f"new ones do not show otherwise ({less}, which of so few pictures may be chance)"
    return Finding(
        code="HT000",
        name="good fit",
        severity="good",
        sentence=(
            f"Good fit: it knows the pictures it learnt from ({under.number:.1%} right, {LEARNT:.0%} wanted) and "
            f"{carried}."
        ),
        number=over.number,
        threshold=GAP,
        unit="points",
    )
