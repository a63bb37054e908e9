import json

import pytest

from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.study.contestants import data_set_of, read


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / cards.ONNX).write_bytes(b"x")
    cards.write(Card(name="mine", class_names=("a", "b"), size=28, colour=False, data={"name": "shop"}), folder)
    return folder


def test_words_are_recipes_files_and_bundles(tmp_path, bundle):
    (tmp_path / "own.json").write_text(json.dumps({"name": "own", "model": "lenet5"}))
    (tmp_path / "theirs.onnx").write_bytes(b"x")
    words = ["lenet5", str(tmp_path / "own.json"), str(bundle), str(tmp_path / "theirs.onnx")]
    found = read(words, epochs=3)
    assert [one.name for one in found] == ["lenet5", "own", "mine", "theirs.onnx"]
    assert [one.recipe is not None for one in found] == [True, True, False, False]
    assert found[0].recipe.epochs == found[1].recipe.epochs == 3
    assert found[2].data == "shop"


def test_epochs_are_for_networks_only():
    assert not hasattr(read(["knn"], epochs=3)[0].recipe, "epochs")


def test_settings_are_for_every_recipe_in_short_keys_too():
    one, other = read(["lenet5", "three_conv"], settings=["lr=0.02"])
    assert one.recipe.optimiser.options["lr"] == other.recipe.optimiser.options["lr"] == 0.02
    assert (
        read(["lenet5"], settings=["lr=0.02"])[0].identity()
        == read(["lenet5"], settings=["optimiser.lr=0.02"])[0].identity()
    )
    with pytest.raises(HangtagError, match="recipe 'knn' has no option 'lr'"):
        read(["lenet5", "knn"], settings=["lr=0.02"])


def test_two_of_one_name_are_told_apart_by_their_files(tmp_path):
    for stem in ("one", "two"):
        (tmp_path / f"{stem}.json").write_text(json.dumps({"name": "same", "model": "lenet5"}))
    found = read([str(tmp_path / "one.json"), str(tmp_path / "two.json")])
    assert [one.name for one in found] == ["same", "two"]


def test_a_name_with_slashes_makes_no_folder_elsewhere(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"name": "../../etc/x", "model": "lenet5"}))
    (one,) = read([str(tmp_path / "x.json")])
    assert "/" not in one.folder
    assert not one.folder.startswith(".")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["lenet"], "usage_unknown_recipe", "Did you mean 'lenet5'?"),
        (["lenet5", "lenet5"], "usage_value", "named twice"),
        (["nowhere.keras"], "bundle_not_found", "nowhere.keras"),
        (["nowhere.json"], "usage_recipe_file", "nowhere.json"),
    ],
)
def test_what_nothing_is_called_is_refused(words, code, hint):
    with pytest.raises(HangtagError, match=hint.replace("?", r"\?")) as caught:
        read(words)
    assert caught.value.code == code


def test_different_data_sets_want_a_word_on_which(bundle):
    found = read(["lenet5", str(bundle)])
    with pytest.raises(HangtagError, match="different data sets") as caught:
        data_set_of(found, None)
    assert caught.value.code == "usage_value"
    assert data_set_of(found, "drawn") == "fashion-mnist"


def test_a_temperature_put_into_a_card_changes_no_contestant(bundle):
    (one,) = read([str(bundle)])
    before = one.identity()
    cards.calibrate(bundle, {"temperature": 1.5})
    assert one.identity() == before


def test_a_changed_file_is_another_contestant(tmp_path):
    file = tmp_path / "theirs.onnx"
    file.write_bytes(b"x")
    (one,) = read([str(file)])
    before = one.identity()
    file.write_bytes(b"y")
    assert one.identity() != before
