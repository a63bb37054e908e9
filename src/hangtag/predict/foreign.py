"""A model somebody else made, as a Predictor: its file says neither how it wants its pixels nor what its answers are.

A bundle's graph starts at pixels. Other models want them as numbers from 0 to 255, from 0 to 1, standardised, ...; a
wrong guess costs most of the accuracy, so the handful of usual readings is tried on labelled pictures, which should
not be the ones the model is judged on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.types import Labels, Pictures, Probabilities

ENDINGS = (".onnx", ".keras")
BATCH = 256
_BYTES = "bytes"


class ForeignModel(Protocol):
    """A network as its file has it."""

    @property
    def takes_bytes(self) -> bool:
        """Whether its input is uint8: then there is one way to read pixels only."""
        ...

    @property
    def size(self) -> int | None:
        """Pixels along a side; None if the file leaves it open."""
        ...

    @property
    def params(self) -> int | None:
        """Trained numbers, if they can be counted."""
        ...

    def answer(self, pixels: NDArray[np.float32] | Pictures) -> NDArray[np.float32]:
        """(N, H, W) float32, or uint8 if it takes bytes -> (N, K), logits or probabilities."""
        ...


@dataclass(frozen=True)
class Reading:
    """A way to read pixels: `pixel * scale + shift`, a pixel being 0..255."""

    name: str
    scale: float
    shift: float

    def __call__(self, images: Pictures) -> NDArray[np.float32]:
        """(N, H, W) uint8 -> float32."""
        return images.astype(np.float32) * np.float32(self.scale) + np.float32(self.shift)


@dataclass(frozen=True)
class Tried:
    """How a model did with each reading.

    Args:
        n: on how many pictures.
        accuracy: reading's name -> share that was right, the best first.
        logits: its answers are logits and not probabilities.
    """

    n: int
    accuracy: dict[str, float]
    logits: bool

    @property
    def sentence(self) -> str:
        """Which reading was taken, and how clear that was."""
        (name, best), *others = self.accuracy.items()
        kind = "logits" if self.logits else "probabilities"
        if name == _BYTES:
            return f"takes bytes, answers with {kind}"
        said = f"reads pixels as {name}: {best:.1%} of {self.n:,} pictures right that it is not judged on"
        if others:
            second, share = others[0]
            said += f", {share:.1%} as {second}"
            if best - share <= 2 * (best * (1 - best) / self.n) ** 0.5:  # two standard errors
                said += ", so the file leaves open which was meant"
        return f"{said}; answers with {kind}"


class ForeignPredictor:
    """See `hangtag.core.types.Predictor`.

    Args:
        model: the network.
        class_names: K names, taken to be in the order of its answers: its file has none.
        reading: how it wants its pixels.
        logits: its answers are logits.
    """

    def __init__(self, model: ForeignModel, class_names: tuple[str, ...], reading: Reading, logits: bool) -> None:
        self.model = model
        self.reading = reading
        self._class_names = class_names
        self._logits = logits

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        return self._class_names

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) uint8 -> (N, K) float32, rows sum to 1.

        Raises:
            HangtagError: `bundle_incompatible` for another number of classes; what the model raises.
        """
        if not len(images):
            return np.zeros((0, len(self.class_names)), np.float32)
        parts = [self._answer(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        answers = np.concatenate(parts)
        return _softmax(answers) if self._logits else answers.astype(np.float32)

    def _answer(self, images: Pictures) -> NDArray[np.float32]:
        answers = self.model.answer(images if self.model.takes_bytes else self.reading(images))
        if answers.shape != (len(images), len(self.class_names)):
            raise HangtagError(
                "bundle_incompatible",
                f"the model answers with {answers.shape} for {len(images)} pictures of {len(self.class_names)} classes",
            )
        return answers


def read(path: Path) -> ForeignModel:
    """The network in a file.

    Raises:
        HangtagError: `bundle_*` if it is not there, damaged, unsafe or takes something else than grey pictures;
            `extra_missing` for a Keras file without Keras.
    """
    try:
        there = path.is_file()
    except OSError as error:  # a name too long, or a folder that may not be entered
        raise HangtagError("bundle_not_found", f"{path} cannot be read: {error.strerror}") from error
    if not there:
        raise HangtagError("bundle_not_found", f"there is no file {path}")
    if path.suffix == ".keras":
        from hangtag.predict.keras import KerasModel

        return KerasModel(path)
    from hangtag.predict.foreign_onnx import OnnxModel

    return OnnxModel(path)


def readings(images: Pictures) -> list[Reading]:
    """The usual ways to read pixels, the commonest first; the last by the statistics of `images`."""
    mean, std = float(images.mean()), max(float(images.std()), 1e-3)
    return [
        Reading("0 to 1", 1 / 255, 0.0),
        Reading("0 to 255", 1.0, 0.0),
        Reading("-1 to 1", 2 / 255, -1.0),
        Reading("standardised", 1 / std, -mean / std),
        Reading("-0.5 to 0.5", 1 / 255, -0.5),
    ]


def fitted(
    model: ForeignModel, images: Pictures, labels: Labels, class_names: tuple[str, ...]
) -> tuple[ForeignPredictor, Tried]:
    """The model with the reading that labels most pictures right; of equals the commonest.

    Args:
        model: the network.
        images, labels: N > 0 pictures it will not be judged on.
        class_names: K names in the order of its answers.

    Raises:
        HangtagError: `bundle_incompatible` if it answers for another number of classes; what the model raises.
    """
    ways: Sequence[Reading] = [Reading(_BYTES, 1.0, 0.0)] if model.takes_bytes else readings(images)
    found = []
    for reading in ways:
        answers = ForeignPredictor(model, class_names, reading, logits=False).predict_proba(images)
        if not np.isfinite(answers).all():
            continue
        logits = bool((answers < 0).any() or not np.allclose(answers.sum(axis=1), 1, atol=1e-3))
        found.append((float((answers.argmax(axis=1) == labels).mean()), reading, logits))
    if not found:
        raise HangtagError("bundle_damaged", "the model answers with numbers that are not finite, however it is asked")
    found.sort(key=lambda one: -one[0])
    _, best, logits = found[0]
    tried = Tried(len(images), {reading.name: accuracy for accuracy, reading, _ in found}, logits)
    return ForeignPredictor(model, class_names, best, logits), tried


def _softmax(logits: NDArray[np.float32]) -> Probabilities:
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities
