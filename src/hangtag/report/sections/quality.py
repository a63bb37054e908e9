"""Data quality: suspect labels, near-duplicates, odd pictures; as lists of pictures and as a CSV to act on."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hangtag.core.printable import as_text, harmless
from hangtag.core.types import Split
from hangtag.report.album import TEST, TRAINING, VALIDATION, Album
from hangtag.report.judged import Judged

MOST = 300  # of each kind shown as pictures; the CSV holds all
COLUMNS = ("problem", "split", "index", "file", "label", "suggestion", "other_split", "other_index", "other_file", "score")
_MOST_ROWS = 5_000


@dataclass(frozen=True)
class Quality:
    """Numbers of each kind, lists for the galleries, and the CSV as a data URI."""

    counts: dict[str, int | None]
    lists: dict[str, list[Any]]
    csv: str
    shortened: bool


def quality(judged: Judged, album: Album) -> Quality:
    """Everything the audit found, the surest first."""
    suspects = [(TEST, error) for error in judged.suspects] + [
        (VALIDATION, error) for error in judged.validation_suspects
    ]
    suspects.sort(key=lambda pair: pair[1].score)
    lists: dict[str, list[Any]] = {"suspects": [], "across": [], "within": [], "odd": []}
    for split, error in suspects[:MOST]:
        if (number := album.add(split, error.index)) is not None:
            lists["suspects"].append([number, error.suggested, round(error.score, 5)])
    for kind, pairs, other in (("across", judged.across or [], TRAINING), ("within", judged.within, TEST)):
        for pair in pairs[:MOST]:
            first, second = album.add(TEST, pair.first), album.add(other, pair.second)
            if first is not None and second is not None:
                lists[kind].append([first, second, round(pair.distance, 4), pair.relation])
    for odd in judged.odd[:MOST]:
        if (number := album.add(TEST, odd.index)) is not None:
            lists["odd"].append([number, odd.reason])
    counts = {
        "suspects": len(suspects),
        "across": None if judged.across is None else len(judged.across),
        "within": len(judged.within),
        "odd": len(judged.odd),
    }
    rows = list(_rows(judged))
    return Quality(counts, lists, _as_uri(rows[:_MOST_ROWS]), len(rows) > _MOST_ROWS)


def _rows(judged: Judged) -> Iterator[tuple[object, ...]]:
    names = judged.test.class_names
    for split, name, errors in (
        (judged.test, "test", judged.suspects),
        (judged.validation, "validation", judged.validation_suspects),
    ):
        for error in errors:
            yield ("suspect label", name, error.index, _file(split, error.index), names[error.given],
                   names[error.suggested], "", "", "", f"{error.score:.5f}")  # fmt: skip
    for kind, other, pairs in (("training", judged.everything, judged.across or []), ("test", judged.test, judged.within)):
        for pair in pairs:
            label = names[judged.test.labels[pair.first]]
            yield ("near-duplicate", "test", pair.first, _file(judged.test, pair.first), label, pair.relation,
                   kind, pair.second, _file(other, pair.second), f"{pair.distance:.4f}")  # fmt: skip
    for odd in judged.odd:
        label = names[judged.test.labels[odd.index]]
        yield ("odd picture", "test", odd.index, _file(judged.test, odd.index), label, odd.reason, "", "", "",
               f"{odd.score:.4f}")  # fmt: skip


def _file(split: Split | None, index: int) -> str:
    return as_text(split.sources[index]) if split is not None and split.sources else ""


def _as_uri(rows: list[tuple[object, ...]]) -> str:
    """RFC 4180 in UTF-8; no cell is a formula to a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(str(cell)) for cell in row] for row in rows)
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(file.getvalue().encode()).decode()}"
