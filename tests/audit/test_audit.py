"""Everything found in a set, as an object that counts, prints, and can be acted on."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from hangtag.audit import examine
from hangtag.core.types import Split
from hangtag.data.sets import drawn


@pytest.fixture(scope="module")
def splits():
    """Test picture 3 is training picture 8 mirrored; training picture 20 is blank, 30 is mislabelled."""
    training, test = drawn.pictures(300, seed=0), drawn.pictures(60, seed=1)
    training, test = (replace(half, images=half.images.copy(), labels=half.labels.copy()) for half in (training, test))
    test.images[3] = training.images[8][:, ::-1]
    training.images[20] = 0
    training.labels[30] = (training.labels[30] + 3) % 10
    sources = tuple(f"=coats/{i}.png" for i in range(len(training)))
    return {"training": replace(training, sources=sources), "test": test}


@pytest.fixture(scope="module")
def audit(splits):
    labels = splits["training"].labels.copy()
    labels[30] = (labels[30] - 3) % 10
    probabilities = np.full((300, 10), 0.0005, np.float32)
    probabilities[np.arange(300), labels] = 0.9955
    probabilities[100:] = np.nan
    return examine("wares", splits, {"training": probabilities})


def rows(audit) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(audit.to_csv())))


def test_names_what_was_planted(audit):
    found = {(row["split"], row["picture"], row["finding"]) for row in rows(audit)}
    assert ("training", "'=coats/30.png", "label error") in found
    assert ("training", "'=coats/20.png", "odd: blank") in found
    assert ("training", "'=coats/8.png", "near-duplicate: mirrored") in found


def test_of_a_pair_across_halves_the_training_picture_is_the_one_to_act_on(audit):
    (row,) = (row for row in rows(audit) if row["partner_split"] == "test" and row["finding"].endswith("mirrored"))
    assert (row["split"], row["picture"], row["partner"]) == ("training", "'=coats/8.png", "3")


def test_judges_only_labels_the_model_has_not_learnt_from(audit):
    assert audit.judged == {"training": 100}
    assert [error.index for error in audit.label_errors["training"]] == [30]
    assert audit.to_dict()["splits"]["test"]["label_errors"] is None


def test_no_cell_is_a_formula(audit):
    for row in rows(audit):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


def test_becomes_plain_json(audit):
    record = json.loads(json.dumps(audit.to_dict()))
    assert record["splits"]["training"]["n"] == 300
    assert record["splits"]["training"]["label_errors"] == 1
    assert record["near_duplicates_across"] == len(audit.near_duplicates["training", "test"]) >= 1
    error = next(finding for finding in record["findings"] if finding["finding"] == "label error")
    assert error["picture"] == "=coats/30.png"
    assert error["score"] < 0.01
    assert "partner" not in error


def test_where_nobody_looked_there_is_no_number(splits):
    record = examine("wares", {"test": splits["test"]}).to_dict()
    assert record["near_duplicates_across"] is None
    assert record["splits"]["test"]["label_errors"] is None


def test_the_screen_tells_counts_and_the_worst_and_obeys_nobody(audit):
    hostile = replace(audit.splits["training"], sources=tuple(f"\x1b[31m[red]{i}" for i in range(300)))
    hostile = replace(hostile, class_names=tuple(f"[/]{name}" for name in hostile.class_names))
    shown = replace(audit, splits={**audit.splits, "training": hostile})
    console = Console(width=120, file=io.StringIO(), color_system=None)
    console.print(shown)
    text = console.file.getvalue()
    assert "near-duplicate pairs" in text
    assert "[red]30" in text
    assert "[/]" in text
    assert "not judged" in text
    assert "\x1b" not in text


def test_progress_reaches_its_end(splits):
    told = []
    examine("wares", splits, progress=lambda what, done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1]


def test_a_set_with_nothing_to_tell_tells_nothing():
    training = Split(drawn.pictures(4, seed=9).images, np.zeros(4, np.int64), ("a",))
    audit = examine("few", {"training": training})
    assert rows(audit) == []
    Console(file=io.StringIO()).print(audit)
