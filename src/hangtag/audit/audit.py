"""What is wrong with a data set, as one object that prints, and the function that finds it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hangtag.audit.label_errors import LabelError, label_errors
from hangtag.audit.near_duplicates import NearDuplicate, near_duplicates
from hangtag.audit.odd_pictures import OddPicture, odd_photos, odd_pictures
from hangtag.audit.same_photos import same_photos
from hangtag.core.printable import as_text, harmless, one_line
from hangtag.core.types import Probabilities, Split

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hangtag.audit.photos import Sketches

Progress = Callable[[str, int, int], None]
"""Told (what goes on, done, in all)."""

COLUMNS = (
    "split", "picture", "label", "finding", "suggested", "score", "partner_split", "partner", "partner_label"
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """What was found in a data set.

    Args:
        name: of the data set.
        splits: its halves by name, in order.
        judged: how many labels of each half a model has judged that had not learnt from them.
        label_errors: by half, the surest first; of the judged ones.
        near_duplicates: by pair of halves; a half's own pairs lie under its name twice. The closest first.
        odd_pictures: by half, the oddest first.
        folders: of photos, by half, the folder that the sources of its split are relative to.
    """

    name: str
    splits: Mapping[str, Split]
    judged: Mapping[str, int]
    label_errors: Mapping[str, list[LabelError]]
    near_duplicates: Mapping[tuple[str, str], list[NearDuplicate]]
    odd_pictures: Mapping[str, list[OddPicture]]
    folders: Mapping[str, Path] = field(default_factory=dict)

    def place(self, split: str, index: int) -> str:
        """Where a picture is: its file's path, or its number in its half."""
        sources = self.splits[split].sources
        return as_text(sources[index]) if sources else str(index)

    def file(self, split: str, index: int) -> Path | None:
        """The file an image was read from, if it has one of its own."""
        folder, sources = self.folders.get(split), self.splits[split].sources
        return folder / sources[index] if folder is not None and sources else None

    def label(self, split: str, index: int) -> str:
        """The class a picture is labelled as."""
        half = self.splits[split]
        return half.class_names[int(half.labels[index])]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every finding as a row of `COLUMNS`, worst first within its kind. Lower scores are worse.

        Of near-duplicates in one half the later picture is the row's, the earlier its partner; of those across halves
        the row's is of the first half, the training pictures: the one to remove.
        """
        for split, errors in self.label_errors.items():
            for error in errors:
                yield self._row(
                    split, error.index, "label error", error.score, suggested=self._class(split, error.suggested)
                )
        for (first, second), pairs in self.near_duplicates.items():
            for pair in pairs:
                own, other = (pair.first, pair.second) if first != second else (pair.second, pair.first)
                yield self._row(first, own, f"near-duplicate: {pair.relation}", pair.distance, partner=(second, other))
        for split, pictures in self.odd_pictures.items():
            for picture in pictures:
                yield self._row(split, picture.index, f"odd: {picture.reason}", picture.score)

    def to_csv(self) -> str:
        """RFC 4180: `COLUMNS`, then `rows`. No cell is a formula to a spreadsheet."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        for row in self.rows():
            writer.writerow(
                {key: harmless(one_line(value)) if isinstance(value, str) else value for key, value in row.items()}
            )
        return text.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: how much of each kind, None where nobody looked, and every finding."""
        across = [len(pairs) for (first, second), pairs in self.near_duplicates.items() if first != second]
        return {
            "name": self.name,
            "splits": {
                split: {
                    "n": len(half),
                    "judged": self.judged.get(split, 0),
                    "label_errors": len(self.label_errors[split]) if split in self.label_errors else None,
                    "near_duplicates": None if (own := self.near_duplicates.get((split, split))) is None else len(own),
                    "odd_pictures": len(self.odd_pictures[split]),
                }
                for split, half in self.splits.items()
            },
            "near_duplicates_across": sum(across) if across else None,
            "findings": [{key: value for key, value in row.items() if value != ""} for row in self.rows()],
        }

    def __repr__(self) -> str:
        return f"<Audit of {self.name}: {sum(1 for _ in self.rows()):,} findings>"

    def __rich__(self) -> RenderableType:
        from hangtag.audit.rendering import to_screen

        return to_screen(self)

    def _class(self, split: str, label: int) -> str:
        return self.splits[split].class_names[label]

    def _row(
        self,
        split: str,
        index: int,
        finding: str,
        score: float,
        *,
        suggested: str = "",
        partner: tuple[str, int] | None = None,
    ) -> dict[str, Any]:
        return {
            "split": split,
            "picture": self.place(split, index),
            "label": self.label(split, index),
            "finding": finding,
            "suggested": suggested,
            "score": round(score, 6),
            "partner_split": partner[0] if partner else "",
            "partner": self.place(*partner) if partner else "",
            "partner_label": self.label(*partner) if partner else "",
        }


def examine(
    name: str,
    splits: Mapping[str, Split],
    probabilities: Mapping[str, Probabilities] | None = None,
    progress: Progress = lambda what, done, total: None,
    photos: Mapping[str, Sketches] | None = None,
    folders: Mapping[str, Path] | None = None,
) -> Audit:
    """Look for label errors, near-duplicates and odd pictures.

    Args:
        name: of the data set.
        splits: its halves by name, e.g. "training" and "test".
        probabilities: by half, (N, K) of a model that has not learnt from these pictures; rows of NaN where it has.
        progress: told (what, done, in all) between the parts.
        photos: by half, the sketches of its images if they are photos (`photos.read`): these are looked at then, and
            the pixels of `splits` are not.
        folders: by half, the folder that the sources of its split are relative to.

    Raises:
        HangtagError: `extra_missing` without cleanlab, if there are probabilities.
    """
    names = list(splits)
    between = [(first, second) for i, first in enumerate(names) for second in names[i:]]
    total = len(between) + len(names) + len(probabilities or {})
    done = 0

    def step(what: str) -> None:
        nonlocal done
        progress(what, done, total)
        done += 1

    judged, errors = {}, {}
    for split, answers in (probabilities or {}).items():
        step("looking for label errors")
        rows = np.flatnonzero(np.isfinite(answers).all(axis=1))
        judged[split] = len(rows)
        errors[split] = [
            LabelError(int(rows[error.index]), error.given, error.suggested, error.score)
            for error in label_errors(answers[rows], splits[split].labels[rows])
        ]
    pairs = {}
    for first, second in between:
        step("looking for near-duplicates")
        if photos is not None:
            what = f"comparing photos of {first}" + ("" if first == second else f" and {second}")
            closely = partial(progress, what)
            pairs[first, second] = same_photos(photos[first], None if first == second else photos[second], closely)
            continue
        others = None if first == second else splits[second].images
        pairs[first, second] = near_duplicates(splits[first].images, others)
    odd = {}
    for split, half in splits.items():
        step("looking for odd pictures")
        odd[split] = (
            odd_photos(photos[split], half.labels) if photos is not None else odd_pictures(half.images, half.labels)
        )
    progress("looking for odd pictures", total, total)
    return Audit(name, splits, judged, errors, pairs, odd, folders or {})
