"""How training went: loss, accuracy and learning rate by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from hangtag.core.card import Card
from hangtag.report.figures.line_chart import Series, line_chart


@dataclass(frozen=True)
class Curves:
    """Charts, the same numbers as a table, and what is to be said of them."""

    remark: str
    charts: list[Markup] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def curves(card: Card) -> Curves:
    """From the history in the card; a model without epochs has none."""
    history = [dict(epoch) for epoch in card.training.get("history") or []]
    if not history:
        return Curves(_why_none(card))
    epochs = [int(epoch["epoch"]) for epoch in history]
    validated = any(epoch.get("val_loss") is not None for epoch in history)
    best = card.training.get("best_epoch")
    lowest = None
    if validated:
        known = [(epoch["val_loss"], int(epoch["epoch"])) for epoch in history if epoch.get("val_loss") is not None]
        lowest = min(known)[1]
    marked = best if best is not None else lowest

    def lines(key: str) -> list[Series]:
        training = Series("training", [epoch.get(key) for epoch in history], "first")
        if not validated:
            return [training]
        return [training, Series("validation", [epoch.get(f"val_{key}") for epoch in history], "second")]

    rates = [Series("", [epoch.get("learning_rate") for epoch in history], "first")]
    charts = [
        line_chart("loss, nats per picture", lines("loss"), epochs, "{:.3g}".format, marked),
        line_chart("accuracy", lines("accuracy"), epochs, _percent, marked),
        line_chart("learning rate", rates, epochs, "{:.2g}".format, from_zero=True),
    ]
    return Curves(_remark(card, validated, best, lowest, len(history)), charts, history)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def _why_none(card: Card) -> str:
    kind = card.recipe.get("kind")
    if kind == "classical":
        return "This algorithm is fitted at once and not in epochs: there are no curves to show."
    return "The card of this model keeps no record of its epochs: there are no curves to show."


def _remark(card: Card, validated: bool, best: int | None, lowest: int | None, epochs: int) -> str:
    said = [
        "Training values are running means over pictures as they were shown, augmented and with dropout: they can be "
        "worse than validation values."
    ]
    if card.recipe.get("teachers"):
        said.append("Training loss is how far its answers are from its teachers' too, and is not comparable.")
    elif card.recipe.get("label_smoothing"):
        said.append("Training loss is taken against smoothed labels, so it cannot reach 0 and is not comparable.")
    if not validated:
        why = "it learnt from the validation pictures too" if card.full else "no validation pictures were judged"
        said.append(f"There is no validation curve: {why}.")
    elif best is not None:
        said.append(f"The weights of epoch {best} of {epochs} were kept, the one with the lowest validation loss.")
    elif lowest is not None:
        said.append(f"Validation loss was lowest in epoch {lowest} of {epochs}; the weights of the last were kept.")
    return " ".join(said)
