"""What a predictor gets right on labelled pictures, as one object that prints, and the function that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hangtag import metrics
from hangtag.core.errors import HangtagError
from hangtag.core.types import Predictor, Probabilities, Split
from hangtag.metrics._confusion import confusion_matrix, f1_of, precision_of, recall_of

if TYPE_CHECKING:
    from rich.console import RenderableType

Progress = Callable[[str, int, int], None]
"""Told (what goes on, done, in all)."""

STEP = 1024  # pictures between two progress calls; a multiple of any predictor's own batch that is a power of two


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """How a predictor did.

    Args:
        class_names: K names, in label order.
        confusion: (K, K) counts, rows true, columns predicted.
        scores: every registered metric by name.
        name: what was judged, for people.
        data: what it was judged on, for people.
        reading: how a folder of images was read (`core.folder_summary.FolderSummary.to_dict`), if it is one.
        standing: of a run that is not at its end, what `Card.standing` says; else empty.
    """

    class_names: tuple[str, ...]
    confusion: NDArray[np.int64]
    scores: Mapping[str, float]
    name: str = "predictor"
    data: str = "pictures"
    reading: dict[str, Any] | None = None
    standing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of pictures labelled right."""
        return self.scores["accuracy"]

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """Where the accuracy on endlessly many such pictures lies, 19 times out of 20 (Wilson 1927)."""
        return wilson_interval(int(self.confusion.trace()), self.n)

    @property
    def loss(self) -> float:
        """Cross-entropy in nats per picture."""
        return self.scores["loss"]

    @property
    def precision(self) -> float:
        """Macro precision."""
        return self.scores["precision"]

    @property
    def recall(self) -> float:
        """Macro recall."""
        return self.scores["recall"]

    @property
    def f1(self) -> float:
        """Macro F1."""
        return self.scores["f1"]

    @property
    def per_class(self) -> list[dict[str, Any]]:
        """For each class `{label, precision, recall, f1, support}`; support is how many pictures it has."""
        columns = (precision_of(self.confusion), recall_of(self.confusion), f1_of(self.confusion))
        rows = zip(self.class_names, *columns, self.confusion.sum(axis=1), strict=True)
        return [
            {"label": label, "precision": float(p), "recall": float(r), "f1": float(f), "support": int(support)}
            for label, p, r, f, support in rows
        ]

    def confusions(self, most: int = 3) -> list[tuple[str, str, int, int]]:
        """The commonest mistakes as (true class, taken for, how often, pictures of the true class)."""
        wrong = self.confusion * (1 - np.eye(len(self.class_names), dtype=np.int64))
        supports = self.confusion.sum(axis=1)
        found = []
        for cell in np.argsort(-wrong, axis=None, kind="stable")[:most]:
            true, taken = divmod(int(cell), len(self.class_names))
            if wrong[true, taken]:
                found.append(
                    (self.class_names[true], self.class_names[taken], int(wrong[true, taken]), int(supports[true]))
                )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: every score by name, `n`, `per_class`, `confusion`, `class_names`, `accuracy_interval`."""
        return {
            "name": self.name,
            "data": self.data,
            **self.standing,
            "n": self.n,
            **self.scores,
            "accuracy_interval": list(self.accuracy_interval),
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "class_names": list(self.class_names),
            **({} if self.reading is None else {"reading": self.reading}),
        }

    def __repr__(self) -> str:
        return f"<Evaluation of {self.name} on {self.data}: accuracy {self.accuracy:.4f}, n {self.n:,}>"

    def __str__(self) -> str:
        from hangtag.evaluation.rendering import to_text

        return to_text(self)

    def __rich__(self) -> RenderableType:
        from hangtag.evaluation.rendering import Screen

        return Screen(self)

    def _repr_html_(self) -> str:
        from hangtag.evaluation.rendering import to_html

        return to_html(self)


def judge(
    predictor: Predictor,
    split: Split,
    progress: Progress | None = None,
    *,
    name: str = "predictor",
    data: str = "pictures",
) -> Evaluation:
    """Let `predictor` label every picture of `split`, in order, and count: `score` of its `answers`."""
    return score(answers(predictor, split, progress, name=name, data=data), split, name=name, data=data)


def answers(
    predictor: Predictor,
    split: Split,
    progress: Progress | None = None,
    *,
    name: str = "predictor",
    data: str = "pictures",
    what: str = "judging",
) -> Probabilities:
    """What `predictor` says of every picture of `split`, in order.

    Args:
        predictor: judged as it is; it owns its preprocessing.
        split: N > 0 pictures of the predictor's own size.
        progress: told (what, done, N) as it goes.
        name: what is judged, for people.
        data: what it is judged on, for people.
        what: what `progress` is told.

    Returns:
        (N, K) float32.

    Raises:
        HangtagError: `bundle_incompatible` if the class names differ; `bundle_damaged` if an answer is not finite;
            `data_empty` if there is no picture.
    """
    _check_class_names(predictor.class_names, split.class_names)
    if not len(split):
        raise HangtagError("data_empty", f"there are no pictures to judge in {data}")
    parts = []
    for start in range(0, len(split), STEP):
        parts.append(predictor.predict_proba(split.images[start : start + STEP]))
        if progress is not None:
            progress(what, min(start + STEP, len(split)), len(split))
    probabilities = np.concatenate(parts)
    if not np.isfinite(probabilities).all():
        raise HangtagError("bundle_damaged", f"{name} answers with numbers that are not finite: train it again")
    return probabilities


def score(probabilities: Probabilities, split: Split, *, name: str = "predictor", data: str = "pictures") -> Evaluation:
    """Count what `probabilities` (N, K) get right on the N > 0 pictures of `split`."""
    scores = {known: metrics.register.get(known)(probabilities, split.labels) for known in metrics.register.names()}
    return Evaluation(split.class_names, confusion_matrix(probabilities, split.labels), scores, name, data)


def wilson_interval(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a proportion, by default of 95%; unlike p ± z s it never leaves [0, 1] and holds for p near 1.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    p = hits / n
    centre = p + z * z / (2 * n)
    spread = z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    return max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n))


def _check_class_names(known: tuple[str, ...], asked: tuple[str, ...]) -> None:
    if known == asked:
        return
    lacking = [name for name in asked if name not in known]
    surplus = [name for name in known if name not in asked]
    differences = [
        f"the model does not know {_listed(lacking)}" if lacking else "",
        f"the data has no {_listed(surplus)}" if surplus else "",
    ]
    said = "; ".join(filter(None, differences)) or "the same names stand in another order"
    raise HangtagError(
        "bundle_incompatible", f"the model's classes are not the data's: {said}. Judge it on its own data"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
