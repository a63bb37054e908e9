"""What the page's galleries show: the pictures on the sheet, what is known of each, and lists of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.printable import as_text
from hangtag.core.types import Split
from hangtag.report.judged import Judged
from hangtag.report.pictures import Sheet

TEST, TRAINING = 0, 1  # places in `SPLITS`
SPLITS = ("test", "training")
TOP = 3  # classes whose probability is shown
MOST = 12_000  # pictures in one report
_LONGEST_SOURCE = 120  # characters of a file's name


class Album:
    """Pictures of one report, each once, with a record that the page's script reads.

    A record is `[split, index in it, label, said, true, heat, source]`, `said` and `true` being one entry per model:
    `said` a flat list of class, probability in thousandths, class, ... of its likeliest classes (empty for pictures it
    was not asked about), `true` the probability in thousandths of the label; `heat` is a place on the heat sheet or -1.

    Args:
        models: the models whose answers are shown; pictures are the first one's.
    """

    def __init__(self, *models: Judged) -> None:
        self.models = models
        self.sheet = Sheet()
        self.records: list[list[Any]] = []
        self.left_out = 0

    def add(self, split: int, index: int) -> int | None:
        """The number of a picture, put on the sheet if it is not there yet; None if the report is full."""
        if len(self.sheet) >= MOST and not self.sheet.has((split, index)):
            self.left_out += 1
            return None
        pictures = self._pictures(split)
        number, new = self.sheet.add((split, index), pictures.images[index])
        if new:
            label = int(pictures.labels[index])
            answers = [_answer(model, split, index) for model in self.models]
            said = [[] if answer is None else _likeliest(answer) for answer in answers]
            true = [-1 if answer is None else _thousandths(float(answer[label])) for answer in answers]
            source = as_text(pictures.sources[index])[-_LONGEST_SOURCE:] if pictures.sources else ""
            self.records.append([split, index, label, said, true, -1, source])
        return number

    def add_all(self, split: int, indices: NDArray[np.intp] | list[int]) -> list[int]:
        """The numbers of pictures, less those that found no room."""
        return [number for index in indices if (number := self.add(split, int(index))) is not None]

    def heat(self, numbers: list[int]) -> None:
        """Say that the first pictures of `numbers` have maps on the heat sheet, in this order."""
        for place, number in enumerate(numbers):
            self.records[number][5] = place

    def _pictures(self, split: int) -> Split:
        pictures = self.models[0].test if split == TEST else self.models[0].everything
        assert pictures is not None, SPLITS[split]
        return pictures


def _answer(model: Judged, split: int, index: int) -> NDArray[np.float32] | None:
    """What the model says of a picture it has not learnt from."""
    row: NDArray[np.float32]
    if split == TEST:
        row = model.probabilities[index]
        return row
    place = model.validation_rows.get(index)
    if place is None or model.validation_probabilities is None:
        return None
    row = model.validation_probabilities[place]
    return row


def _likeliest(row: NDArray[np.float32]) -> list[int]:
    best = np.argsort(-row, kind="stable")[:TOP]
    return [number for k in best for number in (int(k), _thousandths(float(row[k])))]


def _thousandths(probability: float) -> int:
    return round(1000 * probability)
