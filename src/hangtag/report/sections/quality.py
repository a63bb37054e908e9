"""Data quality: suspect labels, near-duplicates, odd pictures; as lists of pictures and as a CSV to act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hangtag.audit.audit import Audit
from hangtag.report.album import TEST, TRAINING, Album
from hangtag.report.pictures import data_uri

MOST = 300  # of each kind shown as pictures; the CSV holds more
MOST_ROWS = 3_000  # of the CSV


@dataclass(frozen=True)
class Quality:
    """What was found.

    Args:
        counts: of each kind; None if nobody could look.
        lists: numbers of the album's pictures with what is to be said of each, for the galleries.
        csv: all findings as a data URI.
        left_out: findings that found no room in it.
    """

    counts: dict[str, int | None]
    lists: dict[str, list[Any]]
    csv: str
    left_out: int


def quality(audit: Audit, album: Album) -> Quality:
    """Everything the audit found, the surest first."""
    places = {"test": TEST, "training": TRAINING}
    suspects = [(split, error) for split, errors in audit.label_errors.items() for error in errors]
    suspects.sort(key=lambda pair: pair[1].score)
    across = audit.near_duplicates.get(("training", "test"))
    within = {place: audit.near_duplicates.get((split, split), []) for split, place in places.items()}
    odd = [(split, picture) for split, pictures in audit.odd_pictures.items() for picture in pictures]
    odd.sort(key=lambda pair: pair[1].score)

    lists: dict[str, list[Any]] = {"suspects": [], "across": [], "within": [], "odd": []}
    for split, error in suspects[:MOST]:
        if (number := album.add(places[split], error.index)) is not None:
            lists["suspects"].append([number, error.suggested, round(error.score, 5)])
    for kind, own, other, pairs in (
        ("across", TEST, TRAINING, across or []),
        *(("within", place, place, pairs) for place, pairs in within.items()),
    ):
        for pair in pairs[:MOST]:
            one, two = album.add(own, pair.second), album.add(other, pair.first)
            if one is not None and two is not None:
                lists[kind].append([one, two, round(pair.distance, 4), pair.relation])
    for split, picture in odd[:MOST]:
        if (number := album.add(places[split], picture.index)) is not None:
            lists["odd"].append([number, picture.reason])

    counts = {
        "suspects": len(suspects),
        "across": None if across is None else len(across),
        "within": sum(map(len, within.values())),
        "odd": len(odd),
    }
    lines = audit.to_csv().splitlines(keepends=True)
    csv = "".join(lines[: 1 + MOST_ROWS]).encode()
    return Quality(counts, lists, data_uri(csv, "text/csv;charset=utf-8"), max(0, len(lines) - 1 - MOST_ROWS))
