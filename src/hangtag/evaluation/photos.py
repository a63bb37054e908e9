"""How a model does on photos as its users have them: folders under other names, and things it does not know.

Each photo is recognised from its file as `hangtag recognise` does it, so that what is measured is what is served.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hangtag.core.decision import NONE_OF_THESE
from hangtag.core.errors import HangtagError
from hangtag.core.registry import nearest
from hangtag.evaluation.evaluation import Progress, wilson_interval
from hangtag.metrics.ece import calibration_gap

if TYPE_CHECKING:
    from hangtag.core.types import Dataset
    from hangtag.predict.recogniser import Recogniser, Recognition


@dataclass(frozen=True)
class Outcome:
    """One photo: what it shows, and what the model made of it.

    Args:
        expected: a class of the model, or None for what is none of them.
        label: what the model answered.
        confidence: in [0, 1].
        status: "accept", "unsure" or "none_of_these".
        group: what it is counted under beside all, or empty.
    """

    expected: str | None
    label: str
    confidence: float
    status: str | None
    group: str = ""

    @property
    def right(self) -> bool:
        """Whether the label is what was expected."""
        return self.label == self.expected


@dataclass(frozen=True)
class PhotoEvaluation:
    """What became of all photos.

    Args:
        outcomes: of the photos that could be read.
        unreadable: `path: reason` of the others.
        class_names: of the model.
    """

    outcomes: tuple[Outcome, ...]
    unreadable: tuple[str, ...]
    class_names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; shares of nothing are null."""
        known = [one for one in self.outcomes if one.expected is not None]
        strange = [one for one in self.outcomes if one.expected is None]
        accepted = [one for one in known if one.status == "accept"]
        recalls = {name: _share(one.right for one in known if one.expected == name) for name in self.class_names}
        present = [recall for recall in recalls.values() if recall is not None]
        groups = [group for group, _ in Counter(one.group for one in known if one.group).most_common()]
        return {
            **_accuracy(known),
            "balanced_accuracy": float(np.mean(present)) if present else None,
            "recall": recalls,
            "confusions": _confusions(known),
            "ece": _calibration_error(known),
            "accepted": {"coverage": _share(one.status == "accept" for one in known), **_accuracy(accepted)},
            "refused": _share(one.status == NONE_OF_THESE for one in known),
            "none_of_these": {
                "n": len(strange),
                "refused": _share(one.status == NONE_OF_THESE for one in strange),
                "accepted": _share(one.status == "accept" for one in strange),
            },
            "unreadable": list(self.unreadable),
            "groups": {group: _accuracy([one for one in known if one.group == group]) for group in groups},
        }


def evaluate_photos(
    recogniser: Recogniser,
    dataset: Dataset,
    mapping: Mapping[str, str],
    groups: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> PhotoEvaluation:
    """Recognise every photo of a folder of classes, those of all its splits.

    Args:
        recogniser: the model.
        dataset: a folder of photos; its classes may have other names than the model's.
        mapping: class of the folder -> class of the model, or `none_of_these`. A class that is not mentioned is the
            model's class of that name, if there is one, else none of them.
        groups: path of a photo, as it ends -> what it is counted under.
        progress: told (what, done, in all).

    Raises:
        HangtagError: `usage_value` for a mapping from or to what there is not, or data that are no folder of photos.
    """
    if not dataset.photos:
        raise HangtagError("usage_value", f"--map is for folders of photos, and {dataset.name} is none")
    expected = expected_classes(dataset.class_names, recogniser.class_names, mapping)
    halves = [half() for half in dataset.photos.values()]
    files = {path: expected[int(label)] for half in halves for path, label in zip(half.files, half.labels, strict=True)}
    outcomes, unreadable = [], [line for half in halves for line in half.skipped]
    found: Iterable[Recognition] = recogniser.stream(files)
    for done, (path, one) in enumerate(zip(files, found, strict=True), start=1):
        if one.error is not None:
            unreadable.append(f"{path}: {one.error.message}")
        else:
            outcomes.append(Outcome(files[path], str(one.label), one.confidence, one.status, _group(path, groups)))
        if progress is not None and (done % 16 == 0 or done == len(files)):
            progress("recognising", done, len(files))
    return PhotoEvaluation(tuple(outcomes), tuple(dict.fromkeys(unreadable)), recogniser.class_names)


def expected_classes(folder: Sequence[str], model: Sequence[str], mapping: Mapping[str, str]) -> tuple[str | None, ...]:
    """What the model should answer for each class of the folder; None: that it is none of its classes.

    Raises:
        HangtagError: `usage_value`.
    """
    for left, right in mapping.items():
        if left not in folder:
            raise HangtagError(
                "usage_value",
                f"--map: the data have no class {left!r}.{nearest(left, list(folder))} They have {', '.join(folder)}",
            )
        if right not in (*model, NONE_OF_THESE):
            raise HangtagError(
                "usage_value",
                f"--map: the model has no class {right!r}.{nearest(right, list(model))} It has {', '.join(model)}; "
                f"{NONE_OF_THESE} is for what is none of them",
            )
    found = [mapping.get(name, name if name in model else NONE_OF_THESE) for name in folder]
    return tuple(None if name == NONE_OF_THESE else name for name in found)


def parse_map(text: str) -> dict[str, str]:
    """`pants=Trouser,t-shirt=T-shirt/top` as a mapping.

    Raises:
        HangtagError: `usage_value`.
    """
    found: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        left, equals, right = (part.strip() for part in entry.partition("="))
        if not (left and equals and right):
            raise HangtagError("usage_value", f"--map: {entry!r} should be FOLDER=CLASS, as in pants=Trouser")
        if left in found:
            raise HangtagError("usage_value", f"--map: {left!r} is mapped twice")
        found[left] = right
    return found


def read_groups(table: str | os.PathLike[str], column: str) -> dict[str, str]:
    """The value of a column for each photo of a CSV file with a column `path`.

    Raises:
        HangtagError: `usage_value` if it cannot be read or lacks a column.
    """
    try:
        with Path(table).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if lacking := [name for name in ("path", column) if name not in (rows.fieldnames or ())]:
                there = ", ".join(rows.fieldnames or ()) or "none"
                raise HangtagError("usage_value", f"{table} has no column {lacking[0]!r}: it has {there}")
            return {row["path"].replace("\\", "/"): row[column] or "" for row in rows if row["path"]}
    except (OSError, UnicodeError, csv.Error) as error:
        raise HangtagError("usage_value", f"{table} cannot be read as a table: {error}") from error


def _group(path: Path, groups: Mapping[str, str] | None) -> str:
    """What a photo is counted under: tables name paths from some folder above the photo on."""
    if not groups:
        return ""
    parts = path.as_posix().split("/")
    names = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((groups[name] for name in names if name in groups), "(not in the table)")


def _accuracy(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    if not outcomes:
        return {"n": 0, "accuracy": None, "accuracy_interval": None}
    right = sum(one.right for one in outcomes)
    interval = [float(end) for end in wilson_interval(right, len(outcomes))]
    return {"n": len(outcomes), "accuracy": right / len(outcomes), "accuracy_interval": interval}


def _share(values: Iterable[bool]) -> float | None:
    counted = list(values)
    return sum(counted) / len(counted) if counted else None


def _confusions(outcomes: Sequence[Outcome], most: int = 10) -> list[dict[str, Any]]:
    counts = Counter((str(one.expected), one.label) for one in outcomes if not one.right)
    return [{"true": true, "predicted": label, "n": n} for (true, label), n in counts.most_common(most)]


def _calibration_error(outcomes: Sequence[Outcome]) -> float | None:
    if not outcomes:
        return None
    return calibration_gap(np.array([one.confidence for one in outcomes]), np.array([one.right for one in outcomes]))
