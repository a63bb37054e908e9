import dataclasses
import json
import os
import random

import pytest

from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError

CARD = Card(
    name="tiny",
    class_names=("Mug", "Teller über alles"),
    size=28,
    colour=False,
    recipe={"name": "tiny", "model": {"name": "lenet5", "filters": (6, 16)}},
    metrics={"validation": {"accuracy": 0.5, "n": 10}},
)


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"graph")
    cards.write(CARD, tmp_path)
    return tmp_path


def refused(folder) -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        cards.read(folder)
    assert "\n" not in caught.value.message
    return caught.value


def rewritten(folder, **changes) -> None:
    """Change the card and give it its digest again, as a careful forger would."""
    record = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    del record["digest"]
    record = {key: value for key, value in {**record, **changes}.items() if value is not ...}
    (folder / "card.json").write_text(json.dumps({**record, "digest": cards._digest(record)}), encoding="utf-8")


def test_gives_back_what_was_written_and_the_digests_of_the_files(bundle):
    card = cards.read(bundle)
    assert (card.name, card.class_names, card.size, card.metrics) == ("tiny", CARD.class_names, 28, CARD.metrics)
    assert card.recipe["model"]["filters"] == [6, 16]
    assert card.files["model.onnx"]["bytes"] == 5
    assert len(card.files["model.onnx"]["sha256"]) == 64


def test_every_changed_byte_is_noticed(bundle):
    path = bundle / "card.json"
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(200):
        place = rng.randrange(len(whole) - 1)  # not the last newline
        other = rng.choice([b for b in range(33, 127) if b != whole[place]])
        path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        if json_of(path) != json.loads(whole):
            assert refused(bundle).code in ("bundle_damaged", "bundle_incompatible"), place


def json_of(path):
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 200_000, b" " * 4_000_001])
def test_what_is_no_card_is_refused_without_a_traceback(bundle, content):
    (bundle / "card.json").write_bytes(content)
    assert refused(bundle).code == "bundle_damaged"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_in_place_of_a_card_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / cards.FILE)
    assert "not a file but a pipe" in refused(tmp_path).message


def test_a_missing_card_is_refused(tmp_path):
    assert refused(tmp_path).code == "bundle_damaged"


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"format": 4}, "format 4"),
        ({"format": ...}, "format None"),
        ({"name": ...}, "name"),
        ({"size": "big"}, "size should be a whole number"),
        ({"size": 0}, "picture size"),
        ({"size": 5_000_000_000}, "picture size"),
        ({"metrics": {"test": [1]}}, "metrics"),
        ({"class_names": ["a", "a"]}, "class names"),
        ({"class_names": ["a"]}, "class names"),
        ({"class_names": "ab"}, "class_names should be a list"),
        ({"recipe": []}, "recipe"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_card_of_another_version_or_kind_names_the_field(bundle, changes, hint):
    rewritten(bundle, **changes)
    error = refused(bundle)
    assert error.code == "bundle_incompatible"
    assert hint in error.message


def test_names_that_are_no_unicode_are_given_back(tmp_path):
    names = ("caf\udce9", "\ud800")
    cards.write(Card(name="\udcff", class_names=names, size=1, colour=False), tmp_path)
    assert cards.read(tmp_path).class_names == names
    (tmp_path / "card.json").read_text(encoding="utf-8")


def test_half_a_surrogate_pair_in_a_card_that_was_changed_is_refused(bundle):
    (bundle / "card.json").write_text('{"format": 2, "name": "\\ud800"}', encoding="utf-8")
    assert refused(bundle).code == "bundle_damaged"


def test_numbers_json_does_not_have_are_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        cards.write(Card(name="x", class_names=("a", "b"), size=1, colour=False, metrics={"x": float("nan")}), tmp_path)


def test_a_card_of_the_first_version_is_read_as_one_without_a_temperature(bundle):
    rewritten(bundle, format=1, calibration=...)
    assert cards.read(bundle).calibration == {}


def test_a_temperature_is_stored_and_everything_else_stays(bundle):
    before = cards.read(bundle)
    cards.calibrate(bundle, {"temperature": 1.25, "n": 5000})
    after = cards.read(bundle)
    assert after.calibration == {"temperature": 1.25, "n": 5000}
    assert dataclasses.replace(after, calibration={}) == before


def test_a_temperature_does_not_vouch_for_a_model_that_was_changed_meanwhile(bundle):
    vouched = cards.read(bundle).files
    (bundle / "model.onnx").write_bytes(b"other")
    cards.calibrate(bundle, {"temperature": 1.25})
    assert cards.read(bundle).files == vouched


def test_a_card_that_cannot_be_written_is_still_the_old_one(bundle, monkeypatch):
    before = (bundle / "card.json").read_bytes()

    def full(file):
        raise OSError(28, "no space")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(HangtagError, match="no space") as caught:
        cards.calibrate(bundle, {"temperature": 1.25})
    assert caught.value.code == "storage_full"
    assert (bundle / "card.json").read_bytes() == before
    assert [path.name for path in bundle.iterdir() if ".tmp." in path.name] == []
