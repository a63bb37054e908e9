import base64
import csv
import io

import numpy as np

from hangtag.audit import LabelError, NearDuplicate, OddPicture
from hangtag.audit.audit import Audit
from hangtag.core.types import Split
from hangtag.report.sections.quality import quality

NAMES = ("=cmd()", "Coat")


class Everything:
    """An album with room for all, which remembers what was put in."""

    def __init__(self):
        self.numbers = {}

    def add(self, split, index):
        return self.numbers.setdefault((split, index), len(self.numbers))


def split(n, folder):
    sources = tuple(f"{folder}/{i}.png" for i in range(n))
    return Split(np.zeros((n, 4, 4), np.uint8), np.arange(n, dtype=np.int64) % 2, NAMES, sources)


def audit(odd=1):
    return Audit(
        "shop",
        {"test": split(4, "test"), "training": split(6, "training")},
        {"test": 4},
        {"test": [LabelError(2, 0, 1, 0.004)], "training": [LabelError(5, 1, 0, 0.001)]},
        {
            ("test", "test"): [NearDuplicate(0, 2, 0.05, "alike")],
            ("training", "test"): [NearDuplicate(3, 1, 0.0, "identical")],
        },
        {"test": [OddPicture(3, "blank", 0.0)] * odd, "training": []},
    )  # fmt: skip


def test_galleries_hold_everything_the_surest_first():
    album = Everything()
    found = quality(audit(), album)
    places = {number: place for place, number in album.numbers.items()}
    assert [(places[n], k) for n, k, _ in found.lists["suspects"]] == [((1, 5), 0), ((0, 2), 1)]
    assert [(places[a], places[b], r) for a, b, _, r in found.lists["across"]] == [((0, 1), (1, 3), "identical")]
    assert [(places[n], reason) for n, reason in found.lists["odd"]] == [((0, 3), "blank")]
    assert found.counts == {"suspects": 2, "across": 1, "within": 1, "odd": 1}


def test_the_csv_lists_each_and_no_cell_is_a_formula():
    uri = quality(audit(), Everything()).csv
    text = base64.b64decode(uri.partition("base64,")[2]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 5
    assert {row["picture"] for row in rows} >= {"test/2.png", "training/5.png", "training/3.png"}
    assert all(cell[:1] not in set("=+-@") for row in rows for cell in row.values() if cell)


def test_what_finds_no_room_in_the_csv_is_counted():
    assert quality(audit(odd=4000), Everything()).left_out == 4004 - 3000


def test_where_the_training_pictures_are_gone_nobody_looked_across():
    import dataclasses

    given = audit()
    given = dataclasses.replace(given, near_duplicates={("test", "test"): []})
    assert quality(given, Everything()).counts["across"] is None
