"""Scores, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from hangtag.core.hardware import cores
from hangtag.report.judged import Judged
from hangtag.watch import clock


@dataclass(frozen=True)
class Fact:
    """One number: its name, its value with the unit, and what it means."""

    name: str
    value: str
    meaning: str


def scores(judged: Judged) -> list[Fact]:
    """How good it is."""
    evaluation = judged.evaluation
    low, high = evaluation.accuracy_interval
    return [
        Fact("accuracy", f"{evaluation.accuracy:.2%}", f"95% interval {low:.2%} to {high:.2%}"),
        Fact("loss", f"{evaluation.loss:.4f}", "nats per picture; 0 is certain and right"),
        Fact("macro precision", f"{evaluation.precision:.2%}", "how far a label can be trusted"),
        Fact("macro recall", f"{evaluation.recall:.2%}", "how much of a class is found"),
        Fact("macro F1", f"{evaluation.f1:.2%}", "both in one; every class counts the same"),
        Fact("calibration error", f"{100 * evaluation.scores['ece']:.1f} points", "stated confidence against truth"),
    ]


def costs(judged: Judged) -> list[Fact]:
    """What it takes to train, keep and run."""
    training, card = judged.card.training, judged.card
    facts = []
    if (seconds := training.get("seconds")) is not None:
        facts.append(Fact("training time", clock(float(seconds)), str(training.get("device", ""))))
    if (peak := training.get("peak_rss_mb")) is not None:
        facts.append(Fact("memory to train", f"{float(peak):,.0f} MB", "the most held at once"))
    size = sum(len(content) for name, content in judged.bundle.files.items() if name.endswith(".onnx")) or sum(
        map(len, judged.bundle.files.values())
    )
    trained = f"{card.params:,} parameters" if card.params else "the model file"
    facts.append(Fact("size", f"{size / 1e6:.1f} MB", trained))
    facts.append(Fact("one picture", f"{judged.latency_ms:.2g} ms", "median, after decoding, on this machine"))
    facts.append(
        Fact(
            "many pictures",
            f"{judged.throughput:,.0f} a second",
            f"on {cores()} processor core{'s' if cores() > 1 else ''}",
        )
    )
    return facts
