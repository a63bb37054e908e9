"""An experiment from data to bundle, and what its folder does when something in it is missing, moved or strange."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hangtag import experiment
from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import NetworkRecipe, Part
from hangtag.data import find
from hangtag.data.sets import drawn
from hangtag.evaluation import evaluate_bundle
from hangtag.experiment import Run, Watch

RECIPE = NetworkRecipe(
    name="tiny",
    data="drawn",
    model=Part("lenet5", filters=(2, 4)),
    optimiser=Part("adam", lr=0.01),
    batch_size=32,
    epochs=2,
)


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 240)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn, "TRAINING_PICTURES", 240)
        folder = tmp_path_factory.mktemp("finished") / "run"
        experiment.run(RECIPE, out=folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "bundle/weights.safetensors").read_bytes()).hexdigest()


def refused(**given) -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        experiment.run(given.pop("recipe", RECIPE), **given)
    assert "\n" not in caught.value.message
    return caught.value


def test_the_card_says_all_a_reader_may_want_to_know(folder):
    card = cards.read(folder / "bundle")
    assert (card.name, card.size, card.colour, card.full) == ("tiny", 28, False, False)
    assert (card.data["name"], card.data["training"], card.data["validation"]) == ("drawn", 220, 20)
    assert card.metrics["validation"]["n"] == 20
    assert card.parity["agreement"] == 1.0
    assert card.parity["n"] == 20
    assert card.params == sum(
        np.prod(shape) for shape in [(2, 1, 5, 5), 2, (4, 2, 5, 5), 4, (120, 100), 120, (84, 120), 84, (10, 84), 10]
    )
    assert card.training["precision"] in ("fp32", "bf16")
    assert [epoch["epoch"] for epoch in card.training["history"]] == [1, 2]
    assert {"python", "torch", "onnx"} <= set(card.versions)


def test_a_recipe_by_its_name_a_folder_by_a_string(tmp_path):
    run = experiment.run("lenet5", data="drawn", out=str(tmp_path / "here"))
    assert run.bundle == str(tmp_path / "here/bundle")
    assert cards.read(tmp_path / "here/bundle").name == "lenet5"


@pytest.mark.parametrize("what", [7, None, ["lenet5"], Path("recipe.json")])
def test_what_is_no_recipe_is_refused(what):
    assert refused(recipe=what).code == "usage_value"


def test_an_unknown_recipes_name_is_told_with_the_nearest():
    assert "Did you mean 'lenet5'" in refused(recipe="lenet6").message


def test_result_tells_what_the_served_model_scores(folder):
    result = json.loads((folder / "result.json").read_text())
    assert result["val_accuracy"] == cards.read(folder / "bundle").metrics["validation"]["accuracy"]
    assert result["seconds"] > 0
    assert result["export_seconds"] > 0
    assert result["peak_rss_mb"] > 50


def test_a_finished_run_is_given_again_at_once_even_where_it_was_moved_to(folder, monkeypatch):
    monkeypatch.setattr(experiment, "_train_network", None)  # nothing is trained
    said: list[str] = []
    run = experiment.run(RECIPE, out=folder, watch=Watch(message=said.append))
    assert run.bundle == str(folder / "bundle")
    assert said == [f"finished already: {folder}"]


@pytest.mark.parametrize("lost", ["result.json", "bundle"])
def test_what_is_lost_after_training_is_made_again_from_the_last_checkpoint(folder, lost, monkeypatch):
    before = sha256(folder)
    shutil.rmtree(folder / lost) if lost == "bundle" else (folder / lost).unlink()
    steps: list[int] = []
    run = experiment.run(RECIPE, out=folder, watch=Watch(progress=lambda now: steps.append(now.step)))
    assert not steps
    assert sha256(folder) == before
    assert run.resumed_from_step == 14


def test_leftovers_of_killed_processes_are_swept(folder):
    (folder / "result.json").unlink()
    (folder / "bundle.tmp.1.0123abcd").mkdir()
    (folder / "run.json.tmp.1.0123abcd").write_text("x")
    experiment.run(RECIPE, out=folder)
    assert not list(folder.glob("*.tmp.*"))


def test_full_learns_from_all_and_validates_on_none(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=1, patience=1)
    run = experiment.run(recipe, out=tmp_path / "full", full=True)
    assert (run.val_accuracy, run.val_loss, run.best_epoch) == (None, None, None)
    card = cards.read(Path(str(run.bundle)))
    assert (card.full, card.metrics, card.data["training"], card.data["validation"]) == (True, {}, 240, 0)


@pytest.mark.parametrize(
    ("changes", "given", "named"),
    [
        ({"epochs": 3}, {}, "recipe.epochs: 2 there, 3 asked"),
        ({"seed": 1}, {}, "recipe.seed: 0 there, 1 asked"),
        ({"optimiser": Part("sgd")}, {}, "recipe.optimiser.name: 'adam' there, 'sgd' asked"),
        ({"average": Part("ema")}, {}, "recipe.average: nothing there"),
        ({}, {"full": True}, "full: False there, True asked"),
    ],
)
def test_other_settings_are_refused_by_name_and_harm_nothing(folder, changes, given, named):
    before = sorted(path.name for path in folder.rglob("*"))
    error = refused(recipe=dataclasses.replace(RECIPE, **changes), out=folder, **given)
    assert error.code == "run_other_settings"
    assert named in error.message
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_a_recipe_of_any_name_stays_in_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = experiment.run(dataclasses.replace(RECIPE, epochs=1, name="../else where"))
    assert Path(str(run.bundle)).resolve().parents[1] == tmp_path / "runs"
    assert not list(tmp_path.parent.glob("else where*"))


def test_what_differs_is_named_to_the_leaf_and_a_line_stays_a_line(tmp_path):
    there = {"steps": [{"rate": 1}, {"rate": 2}], "long": "x" * 500, "a": 1, "b": 1}
    asked = {"steps": [{"rate": 1}, {"rate": 3}], "long": "y" * 500, "a": 2, "b": 2}
    assert experiment.differences(there, asked)[0] == "steps.2.rate: 2 there, 3 asked"
    assert experiment.differences({"steps": []}, {"steps": [None]}) == ["steps: 0 there, 1 asked"]
    experiment.claim(tmp_path, "study.json", there, made=("work",))
    (tmp_path / "work").mkdir()
    with pytest.raises(HangtagError, match=r"steps\.2\.rate: 2 there, 3 asked") as caught:
        experiment.claim(tmp_path, "study.json", asked, made=("work",))
    assert "; and 1 more)" in caught.value.message
    assert len(caught.value.message) < 500 + len(str(tmp_path))


def test_other_data_are_refused_by_name(folder, monkeypatch):
    monkeypatch.setattr(drawn, "_TRAINING_SEED", 9)
    error = refused(out=folder)
    assert error.code == "run_other_settings"
    assert "data.digest: " in error.message


def test_a_folder_of_somebodys_own_is_not_taken(tmp_path):
    (tmp_path / "mine/bundle").mkdir(parents=True)
    (tmp_path / "mine/bundle/precious.txt").write_text("x")
    assert refused(out=tmp_path / "mine").code == "run_damaged"
    assert (tmp_path / "mine/bundle/precious.txt").read_text() == "x"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"3"])
@pytest.mark.parametrize("name", ["run.json", "result.json"])
def test_records_that_cannot_be_read_are_named(folder, name, content):
    (folder / name).write_bytes(content)
    error = refused(out=folder)
    assert error.code == "run_damaged"
    assert name in error.message


def test_a_run_that_got_nowhere_holds_no_folder(tmp_path):
    wrong = dataclasses.replace(RECIPE, model=Part("lenet5", kernal=3))
    assert refused(recipe=wrong, out=tmp_path / "run").code == "usage_unknown_key"

    def enough(progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # it trains: the folder was free
        experiment.run(RECIPE, out=tmp_path / "run", watch=Watch(progress=enough))


def test_by_default_the_folder_is_named_after_all_that_decides_the_result(monkeypatch):
    seen = []
    monkeypatch.setattr(
        experiment, "owning", lambda folder, *rest: seen.append(folder) or (_ for _ in ()).throw(OSError)
    )
    for recipe, full in (
        (RECIPE, False),
        (RECIPE, False),
        (RECIPE, True),
        (dataclasses.replace(RECIPE, seed=1), False),
    ):
        with pytest.raises(OSError):
            experiment.run(recipe, full=full)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    assert all(folder.parts[0] == "runs" and folder.name.startswith("tiny-") for folder in seen)


def test_pictures_left_out_are_counted_and_the_first_are_named(tmp_path):
    for name in ("mug", "plate"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(6):
            Image.new("L", (28, 28), 40 * i).save(tmp_path / "own" / name / f"{i}.png")
    for i in range(5):
        (tmp_path / f"own/mug/bad\x1b{i}.png").write_bytes(b"")
    said: list[str] = []
    read: list[tuple[str, int, int]] = []

    def stop(progress) -> None:
        raise KeyboardInterrupt

    watch = Watch(message=said.append, reading=lambda *progress: read.append(progress), progress=stop)
    with pytest.raises(KeyboardInterrupt):
        experiment.run(
            dataclasses.replace(RECIPE, batch_size=4), data=str(tmp_path / "own"), out=tmp_path / "r", watch=watch
        )
    assert said[0].split(" files left out: ")[0].isdigit()
    assert said[0].count("bad") == 3
    assert said[0].endswith("; ...")
    assert read[-1][1] == read[-1][2]


def test_an_untrainable_device_is_refused(tmp_path):
    assert refused(out=tmp_path / "run", device="gpu").code == "usage_device"


def test_what_exports_as_another_function_is_never_bundled(tmp_path, monkeypatch):
    from hangtag.export import onnx

    real = onnx.to_onnx

    def spoilt(deployed, size, colour):
        content = real(deployed, size, colour)
        with torch.no_grad():
            deployed.model.classifier[-1].bias[0] += 1
        return content

    monkeypatch.setattr(onnx, "to_onnx", spoilt)
    assert refused(recipe=dataclasses.replace(RECIPE, epochs=1), out=tmp_path / "run").code == "bundle_parity"
    assert not (tmp_path / "run/bundle").exists()


def test_a_result_is_a_record_of_plain_numbers(folder):
    run = Run(**json.loads((folder / "result.json").read_text()))
    assert json.loads(json.dumps(dataclasses.asdict(run), allow_nan=False)) == dataclasses.asdict(run)


def test_some_classes_and_few_labels_are_learnt_and_validation_stays_whole(tmp_path):
    recipe = dataclasses.replace(RECIPE, classes=("5-9",), few=3)
    experiment.run(recipe, out=tmp_path / "run")
    card = cards.read(tmp_path / "run/bundle")
    assert card.class_names == ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    assert (card.data["training"], card.data["validation"], card.data["classes_in_all"]) == (15, 10, 10)
    assert card.recipe["classes"] == list(card.class_names)  # names, whatever was asked for
    named = dataclasses.replace(RECIPE, classes=("Ankle boot", "6-8", "Sandal"), few=3)
    assert experiment.run(named, out=tmp_path / "run").bundle  # the same run, so it is finished


def test_classes_without_a_picture_for_validation_are_told_before_anything_is_learnt(tmp_path):
    for label, count in {"a": 1, "b": 1, "c": 30}.items():
        for half in ("train", "test"):
            (tmp_path / "wares" / half / label).mkdir(parents=True)
            for i in range(count):
                shade = Image.fromarray(np.full((28, 28), i, dtype=np.uint8))
                shade.save(tmp_path / "wares" / half / label / f"{i}.png")
    recipe = dataclasses.replace(RECIPE, classes=("a", "b"))
    error = refused(recipe=recipe, data=str(tmp_path / "wares"), out=tmp_path / "run")
    assert error.code == "data_count"
    assert "--full" in error.message


def test_weights_started_from_decide_a_run_by_their_content(folder, tmp_path):
    start = shutil.copytree(folder / "bundle", tmp_path / "start")
    recipe = dataclasses.replace(RECIPE, start=str(start), freeze=True, epochs=1)
    experiment.run(recipe, out=tmp_path / "second")
    card = cards.read(tmp_path / "second/bundle")
    assert card.training["start"]["sha256"] == sha256(folder)
    assert card.training["start"]["left"] == 0  # the same classes: the classifier goes on too
    other = tmp_path / "other"
    experiment.run(dataclasses.replace(RECIPE, seed=1), out=other)
    shutil.rmtree(start)
    shutil.copytree(other / "bundle", start)
    error = refused(recipe=recipe, out=tmp_path / "second")
    assert error.code == "run_other_settings"
    assert "start" in error.message


@pytest.mark.parametrize("full", [False, True])
def test_a_start_that_knows_the_validation_pictures_is_told_of(full, tmp_path):
    experiment.run(dataclasses.replace(RECIPE, epochs=1), out=tmp_path / "first", full=full)
    recipe = dataclasses.replace(RECIPE, start=str(tmp_path / "first"), epochs=1)
    said: list[str] = []
    experiment.run(recipe, out=tmp_path / "second", watch=Watch(message=said.append))
    assert any("validation flatters" in line for line in said) == full
    said.clear()
    experiment.run(recipe, out=tmp_path / "third", watch=Watch(message=said.append), full=True)
    assert not any("validation flatters" in line for line in said)  # there is none


def test_a_recipe_without_what_came_later_has_the_fingerprint_it_always_had(folder):
    settings = json.loads((folder / "run.json").read_text())
    assert {"classes", "few", "start", "freeze", "teachers"}.isdisjoint(settings["recipe"])
    assert settings.keys() == {"recipe", "full", "data"}
    assert settings["data"].keys() == {"name", "digest", "training", "validation", "validation_seed"}


@pytest.fixture
def wares(tmp_path):
    """Six images of each of two classes to train on, three to validate on, three for the test."""
    for split, count in (("Train", 6), ("valid", 3), ("Test", 3)):
        for label in (0, 1):
            folder = tmp_path / "wares" / split / ("mug", "plate")[label]
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = np.random.default_rng([len(split), label, i]).integers(0, 99, (28, 28)) + 150 * label
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "wares"


def test_a_validation_folder_is_validated_on_and_decides_the_run(wares, tmp_path):
    said: list[str] = []
    run = experiment.run(RECIPE, data=wares, out=tmp_path / "a", watch=Watch(message=said.append))
    settings = json.loads((tmp_path / "a" / "run.json").read_text())
    assert (settings["data"]["training"], settings["data"]["validation"]) == (12, 6)
    assert settings["data"]["validation_from"] == "folder"
    assert said[0] == run.reading["line"]
    assert "12 training (Train/) + 6 validation (valid/) + 6 test (Test/) images" in said[0]
    (wares / "valid" / "mug" / "0.png").unlink()
    with pytest.raises(HangtagError, match="validation"):
        experiment.run(RECIPE, data=wares, out=tmp_path / "a")
    experiment.run(RECIPE, data=wares, out=tmp_path / "full", full=True)
    assert json.loads((tmp_path / "full" / "run.json").read_text())["data"]["training"] == 17


def test_the_card_keeps_where_the_data_lay_and_the_run_does_not_depend_on_it(wares, tmp_path, monkeypatch):
    monkeypatch.delenv("HANGTAG_DATA", raising=False)
    experiment.run(RECIPE, data=wares, out=tmp_path / "a")
    assert str(wares) in cards.read(tmp_path / "a" / "bundle").data["place"]
    assert str(wares) not in (tmp_path / "a" / "run.json").read_text()
    assert evaluate_bundle(tmp_path / "a").n == 6
    assert evaluate_bundle(tmp_path / "a", split="val").n == 6
    Image.new("L", (28, 28)).save(wares / "Test" / "mug" / "new.png")
    changed = evaluate_bundle(tmp_path / "a")
    assert (changed.n, "has changed since tiny was trained" in changed.data) == (7, True)
    (tmp_path / "elsewhere").mkdir()
    wares.rename(tmp_path / "elsewhere" / "wares")
    with pytest.raises(HangtagError, match="is not there any more, where 'wares' lay: say --data PATH") as caught:
        evaluate_bundle(tmp_path / "a")
    assert caught.value.code == "data_not_found"
    monkeypatch.setenv("HANGTAG_DATA", str(tmp_path / "elsewhere"))
    assert evaluate_bundle(tmp_path / "a").n == 7


def test_a_users_name_does_not_travel_with_a_bundle(wares, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find(wares).place == f"image-folder={Path('~') / 'wares'}"
    assert len(find(find(wares).place).test()) == 6


@pytest.mark.parametrize("place", [7, ["x"], "", "image-folder=", "=", "image-folder=//host/share", "x\0y=z\0"])
def test_a_strange_place_in_a_card_is_no_place(place, monkeypatch):
    monkeypatch.delenv("HANGTAG_DATA", raising=False)
    with pytest.raises(HangtagError) as caught:
        find(name="wares", place=place)
    assert caught.value.code == "data_not_found"


def test_a_model_trained_on_the_validation_images_is_not_tested_on_them(wares, tmp_path):
    shutil.rmtree(wares / "Test")
    experiment.run(RECIPE, data=wares, out=tmp_path / "a", full=True)
    with pytest.raises(HangtagError, match="trained on the validation images too") as caught:
        evaluate_bundle(tmp_path / "a")
    assert caught.value.code == "usage_split"
