"""HT009: training ended while it was still getting better."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT = 0.02  # share of validation loss gained over the last fifth of the epochs
FEWEST = 3  # epochs: fewer tell no direction


@register("unfinished", code="HT009")
def unfinished(evidence: Evidence) -> Finding | None:
    """How much validation loss fell over the last fifth of the epochs, if its least is in the last one."""
    losses = [float(epoch["val_loss"]) for epoch in evidence.history if epoch.get("val_loss") is not None]
    if len(losses) < FEWEST:
        return None
    earlier = losses[-1 - max(1, len(losses) // 5)]
    gained = max(0.0, 1 - losses[-1] / earlier) if earlier > 0 else 0.0
    still = losses[-1] <= min(losses) and gained >= LIMIT
    severity: Severity = "note" if still else "good"
    if still:
        sentence = f"It was still getting better when training ended: validation loss fell by {gained:.1%} at the end."
    else:
        least = losses.index(min(losses)) + 1
        sentence = f"Training was long enough: validation loss was lowest in epoch {least} of {len(losses)}."
        gained = gained if losses[-1] <= min(losses) else 0.0
    return Finding(
        code="HT009",
        name="unfinished training",
        severity=severity,
        sentence=sentence,
        number=gained,
        threshold=LIMIT,
        unit="share",
        cure="Train for more epochs: --epochs, with a patience so that it stops by itself.",
    )
