import json
from pathlib import Path

import pytest

import hangtag
from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.provenance import commit, provenance

SHIPPED = Path(hangtag.__file__).parent / "weights" / "default"


def made(**facts):
    return Card(name="x", class_names=("a", "b"), size=28, colour=False, **facts)


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "teacher"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"onnx")
    cards.write(made(), folder)
    return folder


def sha(folder):
    return json.loads((folder / "card.json").read_text())["files"]["model.onnx"]["sha256"]


def test_the_shipped_model_says_what_of_its_making_cannot_be_repeated():
    found = provenance(cards.read(SHIPPED), SHIPPED)
    assert found.sentence == (
        "Made from commit 72277278fdbd with uncommitted changes; its teachers are not published "
        "(SHA-256 29eae0a19a33…, 5de9ece129f8…, 7e02ca8e5462…): "
        "the command for its recipe makes a model of the same kind, not this file."
    )
    assert found.settings == ("teachers=", "teacher_views=0")


def test_what_its_command_changes_makes_a_recipe_that_can_be_trained():
    from hangtag.core.recipe import from_dict, override

    card = cards.read(SHIPPED)
    recipe = override(from_dict(card.recipe), provenance(card, SHIPPED).settings)
    assert recipe.teachers == ()
    assert recipe.augment == from_dict(card.recipe).augment


def test_nothing_stands_in_the_way_of_a_clean_commit_and_teachers_that_are_there(bundle, tmp_path):
    teachers = [{"bundle": str(bundle), "sha256": sha(bundle)}]
    card = made(commit="abc", training={"teachers": teachers, "start": {"from": "imagenet", "sha256": "0"}})
    assert provenance(card, tmp_path).sentence == ""
    assert provenance(made(), tmp_path).sentence == ""


def test_a_teacher_that_changed_is_not_there(bundle, tmp_path):
    card = made(training={"teachers": [{"bundle": str(bundle), "sha256": "0" * 64}]})
    assert "Its teachers are not here (SHA-256 000000000000…)" in provenance(card, tmp_path).sentence


def test_a_start_that_is_gone_is_named_and_left_out(tmp_path):
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"x")
    from hangtag.core.files import sha256_of

    start = {"from": str(weights), "sha256": sha256_of(weights)}
    assert provenance(made(training={"start": start}), tmp_path).sentence == ""
    weights.unlink()
    found = provenance(made(training={"start": start}), tmp_path)
    assert found.sentence.startswith("Its start is not here (SHA-256 ")
    assert found.settings == ("start=null", "freeze=false")


def test_an_ensemble_whose_members_are_gone_cannot_be_put_together(tmp_path):
    members = [{"bundle": "runs/one", "sha256": "1" * 64}]
    assert "cannot be put together again" in provenance(made(training={"members": members}), tmp_path).sentence


def test_a_commit_is_said_in_words():
    assert commit(made(commit="abc+changes")) == "commit abc with uncommitted changes"
    assert commit(made(commit="abc")) == "commit abc"
    assert commit(made()) == ""
