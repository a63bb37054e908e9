"""HT009: training ended while it was still getting better."""

from __future__ import annotations

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT = 0.02  # share of validation loss gained over the last fifth of the epochs
FEWEST = 3  # epochs: fewer tell no direction
ANNEALED = 0.1  # of the highest rate: below it a loss falls because the rate does, in runs of any length


@register("unfinished", code="HT009")
def unfinished(evidence: Evidence) -> Finding | None:
    """How much validation loss fell over the last fifth of the epochs, if its least is in the last one.

    Where the learning rate has all but ended, as schedules make it, that says nothing about more epochs.
    """
    losses = [float(epoch["val_loss"]) for epoch in evidence.history if epoch.get("val_loss") is not None]
    if len(losses) < FEWEST:
        return None
    earlier = losses[-1 - max(1, len(losses) // 5)]
    gained = max(0.0, 1 - losses[-1] / earlier) if earlier > 0 else 0.0
    rates = [float(epoch.get("learning_rate") or 0.0) for epoch in evidence.history]
    annealed = rates[-1] < ANNEALED * max(rates)
    falls = losses[-1] <= min(losses) and gained >= LIMIT
    severity: Severity = "note" if falls and not annealed else "good"
    if falls and annealed:
        sentence = "Training ran to the end of its schedule: its rate fell to nothing, and validation loss with it."
        gained = 0.0
    elif falls:
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
