"""A judged model without any files: what sections make of it can be worked out by hand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hangtag.core.card import Card
from hangtag.core.types import Split
from hangtag.evaluation.evaluation import score

NAMES = ("Shirt", "Coat", "Bag")


@pytest.fixture
def judged():
    """judged(said=..., findings=..., card={...}) -> what sections need of a `Judged`; 300 pictures, 3 classes."""

    def make(said=None, confidence=0.9, findings=(), card=None, names=NAMES, **changes):
        k = len(names)
        labels = np.arange(300, dtype=np.int64) % k
        said = labels if said is None else np.asarray(said)
        probabilities = np.full((300, k), (1 - confidence) / (k - 1), np.float32)
        probabilities[np.arange(300), said] = confidence
        test = Split(np.zeros((300, 4, 4), np.uint8), labels, names)
        about = Card(**{"name": "x", "class_names": names, "size": 4, "colour": False, **(card or {})})
        whole = {
            "evaluation": score(probabilities, test),
            "probabilities": probabilities,
            "predicted": probabilities.argmax(axis=1),
            "confidence": probabilities.max(axis=1),
            "test": test,
            "findings": list(findings),
            "card": about,
            "bundle": SimpleNamespace(files={"model.onnx": b"x" * 2_000_000}, folder=Path("/nowhere")),
            "latency_ms": 0.123,
            "throughput": 4567.8,
            "calibration": SimpleNamespace(temperature=None),
        }
        return SimpleNamespace(**{**whole, **changes})

    return make
