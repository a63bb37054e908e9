"""Photos as users have them: folders under other names, things the model does not know, groups of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hangtag import data, predict
from hangtag.core.errors import HangtagError
from hangtag.data.sets.drawn import draw
from hangtag.evaluation.photos import evaluate_photos, expected_classes, parse_map, read_groups

FOLDERS = {"pants": 1, "jeans": 1, "tees": 0, "Bag": 8, "scribbles": None}
MAPPING = {"pants": "Trouser", "jeans": "Trouser", "tees": "T-shirt/top"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six images of each folder, and a broken one."""
    root = tmp_path_factory.mktemp("photos") / "shop"
    for name, label in FOLDERS.items():
        (root / name).mkdir(parents=True)
        for i in range(6):
            rng = np.random.default_rng([len(name), i])
            image = rng.integers(0, 255, (28, 28)).astype(np.uint8) if label is None else draw(label, rng)
            Image.fromarray(image).save(root / name / f"{i}.png")
    (root / "pants" / "broken.png").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def found(folder) -> dict:
    return evaluate_photos(predict.load(), data.find(folder), MAPPING).to_dict()


def test_every_photo_is_recognised_as_recognise_does_it(folder, found):
    right, total = {}, 0
    for name, label in FOLDERS.items():
        if label is None:
            continue
        wanted = predict.load().class_names[label]
        answers = [one for one in predict.load().recognise(folder / name) if one.error is None]
        right.setdefault(wanted, []).extend(one.label == wanted for one in answers)
        total += len(answers)
    assert found["n"] == total == 24
    assert found["accuracy"] == sum(map(sum, right.values())) / total
    assert {name: recall for name, recall in found["recall"].items() if recall is not None} == {
        name: sum(counted) / len(counted) for name, counted in right.items()
    }
    assert found["balanced_accuracy"] == pytest.approx(
        np.mean([sum(counted) / len(counted) for counted in right.values()])
    )


def test_what_is_mapped_to_nothing_is_expected_to_be_none_of_the_classes(found):
    assert found["none_of_these"]["n"] == 6
    assert found["none_of_these"]["accepted"] <= 1


def test_a_photo_that_cannot_be_read_is_named_and_not_counted(found):
    (line,) = found["unreadable"]
    assert "broken.png" in line


def test_progress_ends_at_the_last_photo(folder):
    heard: list[tuple[int, int]] = []
    evaluate_photos(predict.load(), data.find(folder), MAPPING, None, lambda what, done, n: heard.append((done, n)))
    assert heard[-1] == (31, 31) or heard[-1] == (30, 30)


def test_groups_of_a_table_are_counted_apart(folder, tmp_path):
    table = tmp_path / "table.csv"
    rows = [
        f"shop/{name}/{i}.png,{'anna' if i < 2 else 'ben'}" for name in ("pants", "jeans", "tees") for i in range(6)
    ]
    table.write_text("path,sender\n" + "\n".join(rows) + "\n")
    groups = evaluate_photos(predict.load(), data.find(folder), MAPPING, read_groups(table, "sender")).to_dict()[
        "groups"
    ]
    assert {name: group["n"] for name, group in groups.items()} == {"anna": 6, "ben": 12, "(not in the table)": 6}


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"pant": "Trouser"}, "no class 'pant'. Did you mean 'pants'?"),
        ({"pants": "Trousers"}, "no class 'Trousers'. Did you mean 'Trouser'?"),
    ],
)
def test_a_wrong_entry_is_one_line_with_the_classes_there_are(mapping, said):
    with pytest.raises(HangtagError) as caught:
        expected_classes(("pants", "tees"), ("Trouser", "Bag"), mapping)
    assert said.split(".")[0] in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.code == "usage_value"


def test_none_of_these_can_be_said_of_a_class_of_the_models_name():
    assert expected_classes(("Bag", "x"), ("Bag", "Coat"), {"Bag": "none_of_these", "x": "Coat"}) == (None, "Coat")


@pytest.mark.parametrize("text", ["pants", "=Trouser", "pants=", "a=Bag,a=Coat"])
def test_a_map_that_is_none_is_one_line(text):
    with pytest.raises(HangtagError) as caught:
        parse_map(text)
    assert caught.value.code == "usage_value"


def test_a_table_without_the_column_says_which_it_has(tmp_path):
    (tmp_path / "t.csv").write_text("path,x\n")
    with pytest.raises(HangtagError, match="it has path, x"):
        read_groups(tmp_path / "t.csv", "sender")
    with pytest.raises(HangtagError, match="cannot be read"):
        read_groups(tmp_path / "none.csv", "sender")


def test_data_that_are_no_photos_are_refused():
    with pytest.raises(HangtagError, match="folders of photos"):
        evaluate_photos(predict.load(), data.find("drawn"), {})
