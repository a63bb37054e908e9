"""A transfer study: its stages, what is frozen in them, and that it can be killed, moved on and told apart."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from hangtag import experiment
from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part, override
from hangtag.evaluation import evaluate_bundle
from hangtag.predict import load
from hangtag.study import transfer as transfer_module
from hangtag.study.transfer import KINDS, recipe_of, transfer
from hangtag.study.transfer_page import to_html

from .conftest import RECIPE, quiet

pytestmark = [pytest.mark.usefixtures("small"), pytest.mark.slow]  # networks are trained over and over

NEW = ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def study(out, **given):
    settings = {"learnt": ["0-4"], "new": ["Sandal", "6-9"], "out": out, "watch": quiet()}
    return transfer(given.pop("base", RECIPE), **{**settings, **given})


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    from hangtag.data.sets import drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn, "TRAINING_PICTURES", 240)
        patch.setattr(drawn, "TEST_PICTURES", 100)
        return study(tmp_path_factory.mktemp("studies") / "s", few=(3,))


def test_the_record_holds_every_stage_with_what_is_asked_of_it(found):
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert json.loads((found.folder / "transfer.json").read_text()) == record
    for name in ("pretrain", *KINDS):
        stage = record[name]
        assert {"val_accuracy", "test_accuracy", "precision", "recall", "fit", "seconds", "bundle"} <= stage.keys()
        assert np.array(stage["confusion"]).shape == (5, 5)
    assert record["test_accuracy"] == record["frozen"]["test_accuracy"]
    assert (record["from"][0], tuple(record["to"])) == ("T-shirt/top", NEW)
    assert [few["labels"] for few in record["few"]] == [3]
    assert {few["frozen"]["labels"] for few in record["few"]} == {15}


def test_frozen_means_the_convolutions_are_those_that_were_pretrained(found):
    before, frozen, tuned = (
        load_file(found.folder / name / "bundle/weights.safetensors") for name in ("pretrain", "frozen", "fine_tuned")
    )
    same = [name for name in before if np.array_equal(before[name], frozen[name])]
    assert [name for name in before if name.startswith("features")] == same
    assert not any(np.array_equal(before[name], tuned[name]) for name in same if name.endswith("weight"))
    card = cards.read(found.folder / "frozen/bundle")
    assert (
        card.training["start"]["sha256"]
        == cards.read(found.folder / "pretrain/bundle").files["weights.safetensors"]["sha256"]
    )


def test_labels_are_smoothed_only_where_what_is_learnt_is_for_these_classes(tmp_path):
    smoothed = replace(RECIPE, label_smoothing=0.1)
    runs = transfer_module._runs(smoothed, ("Bag", "Coat"), ("Dress", "Shirt"), 2, None, [], tmp_path)
    found = {run.name: run.recipe.label_smoothing for run in runs}
    assert found == {"pretrain": 0, "frozen": 0, "fine_tuned": 0.1, "scratch": 0.1}


def test_from_scratch_goes_on_from_nothing_whatever_the_recipe_does(tmp_path):
    base = replace(RECIPE, start="imagenet", freeze=True)
    runs = transfer_module._runs(base, (), ("Dress", "Shirt"), 2, "imagenet", [], tmp_path)
    found = {run.name: (run.recipe.start, run.recipe.freeze) for run in runs}
    assert found == {"frozen": ("imagenet", True), "fine_tuned": ("imagenet", False), "scratch": (None, False)}


def test_imagenet_alone_names_no_network():
    with pytest.raises(HangtagError, match="name a recipe, such as photos"):
        transfer_module.recipe_of("imagenet")


def test_frozen_takes_a_third_of_the_epochs(tmp_path):
    for epochs, frozen in ((1, 1), (22, 7)):
        base = replace(RECIPE, epochs=epochs)
        runs = transfer_module._runs(base, ("Bag",), ("Dress", "Shirt"), 2, None, [], tmp_path)
        found = {run.name: run.recipe.epochs for run in runs}
        assert found == {"pretrain": epochs, "frozen": frozen, "fine_tuned": epochs, "scratch": epochs}


def test_its_bundles_are_like_any_other(found):
    bundle = found.folder / "frozen/bundle"
    assert load(bundle).class_names == NEW
    evaluation = evaluate_bundle(bundle)
    assert evaluation.accuracy == found.stage("frozen").numbers["test_accuracy"]
    assert evaluation.n == 50
    assert "5 of 10 classes" in evaluation.data


def test_started_again_it_trains_nothing_anew(found, monkeypatch):
    def never(*arguments, **given):
        raise AssertionError("trained again")

    monkeypatch.setattr(experiment, "run", never)
    again = study(found.folder, few=(3,))
    assert again.to_dict() == found.to_dict()


def test_killed_before_its_end_it_judges_what_is_trained_and_comes_out_the_same(found, tmp_path, monkeypatch):
    folder = found.folder
    record = (folder / "transfer.json").read_text()
    (folder / "transfer.json").unlink()

    def never(*arguments, **given):
        raise AssertionError("trained again")

    monkeypatch.setattr(experiment, "_train_network", never)
    study(folder, few=(3,))
    assert (folder / "transfer.json").read_text() == record


def test_a_damaged_record_is_told(found):
    text = (found.folder / "transfer.json").read_text()
    (found.folder / "transfer.json").write_text(text[:100])
    with pytest.raises(HangtagError, match="delete it") as caught:
        study(found.folder, few=(3,))
    (found.folder / "transfer.json").write_text(text)
    assert caught.value.code == "run_damaged"


def test_another_study_in_its_folder_is_refused(found):
    with pytest.raises(HangtagError, match="few") as caught:
        study(found.folder, few=(4,))
    assert caught.value.code == "run_other_settings"


def test_a_stage_that_fails_is_marked_and_the_study_goes_on(tmp_path, monkeypatch):
    real = experiment.run

    def run(recipe, **given):
        if recipe.start and not recipe.freeze:
            raise HangtagError("training_not_finite", "the loss became nan")
        return real(recipe, **given)

    monkeypatch.setattr(experiment, "run", run)
    record = study(tmp_path / "s").to_dict()
    assert record["fine_tuned"] == {"error": {"code": "training_not_finite", "message": "the loss became nan"}}
    assert record["scratch"]["test_accuracy"] > 0
    assert "the loss became nan" in to_html(study(tmp_path / "s"))
    monkeypatch.setattr(experiment, "run", real)
    assert study(tmp_path / "s").to_dict()["fine_tuned"]["test_accuracy"] > 0  # tried again


@pytest.mark.parametrize("code", ["storage_full", "checkpoint_failed"])
def test_what_is_no_result_of_training_ends_the_study(tmp_path, monkeypatch, code):
    real = experiment.run

    def run(recipe, **given):
        if recipe.freeze:
            raise HangtagError(code, "no space left")
        return real(recipe, **given)

    monkeypatch.setattr(experiment, "run", run)
    with pytest.raises(HangtagError, match="no space left"):
        study(tmp_path / "s")
    monkeypatch.setattr(experiment, "run", real)
    assert study(tmp_path / "s").to_dict()["frozen"]["test_accuracy"] > 0


def test_where_no_stage_comes_through_the_first_error_is_told(tmp_path, monkeypatch, trained):
    start = trained("of_shoes", classes=("5-9",))

    def run(recipe, **given):
        raise HangtagError("training_not_finite", "the loss became nan")

    monkeypatch.setattr(experiment, "run", run)
    with pytest.raises(HangtagError, match="the loss became nan"):
        study(tmp_path / "s", base=recipe_of(start), learnt=(), new=(), start=start)


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ({"new": ["4-9"]}, "usage_class", "'Coat' is both in --from and in --to"),
        ({"new": ["Sneakers", "Bag"]}, "usage_class", "Did you mean 'Sneaker'"),
        ({"learnt": ["0-44"]}, "usage_class", "numbered 0 to 9"),
        ({"new": []}, "usage_value", "say --to"),
        ({"learnt": []}, "usage_value", "--from some classes or from a --start"),
        ({"start": "default"}, "usage_value", "give one of the two"),
        ({"learnt": [], "start": "nowhere"}, "bundle_not_found", "nowhere"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, given, code, says):
    with pytest.raises(HangtagError, match=says) as caught:
        study(tmp_path / "s", **given)
    assert caught.value.code == code
    assert "\n" not in caught.value.message


def test_it_starts_from_a_bundle_too_on_other_classes_and_data(tmp_path, trained):
    start = trained("of_shoes", classes=("5-9",))
    found = study(tmp_path / "s", base=recipe_of(start), learnt=(), new=(), start=start)
    record = found.to_dict()
    assert (record["start"], len(record["to"])) == (start, 10)
    assert "pretrain" not in record
    assert len(record["frozen"]["class_names"]) == 10


def test_it_starts_from_a_student_that_was_taught_on_views(tmp_path, trained):
    teacher = trained("teacher")
    start = trained("student", teachers=(teacher,), teacher_views=2)
    base = override(recipe_of(start), ["epochs=1"])
    assert (base.teachers, base.teacher_views) == ((), 0)


def test_a_file_of_weights_does_not_say_its_network(tmp_path):
    with pytest.raises(HangtagError, match="name a recipe"):
        recipe_of("w.safetensors")


def test_a_network_whose_options_say_so_gets_a_larger_classifier_over_frozen_features(tmp_path):
    base = replace(RECIPE, model=Part("fast", widths=(4, 4, 8)), batch_size=64)
    found = study(tmp_path / "s", base=base)
    assert cards.read(found.folder / "frozen/bundle").recipe["model"]["dense"] == 256
    assert "dense" not in cards.read(found.folder / "scratch/bundle").recipe["model"]


def test_the_page_escapes_names(found):
    nasty = replace(found, data="<script>alert(1)</script>")
    assert "<script>alert(1)" not in to_html(nasty)
    assert "from scratch" in to_html(found)


def test_fine_tuning_is_gentler_also_where_the_rate_is_the_optimisers_own(tmp_path):
    for part, rates in (
        (Part("adamw"), {"lr": 3e-4}),
        (Part("muon", lr=0.1), {"lr": 0.03, "rest_lr": 3e-4}),
    ):
        base = replace(RECIPE, optimiser=part)
        runs = transfer_module._runs(base, ("Bag",), ("Dress", "Shirt"), 2, None, [], tmp_path)
        (tuned,) = (run.recipe.optimiser.options for run in runs if run.name == "fine_tuned")
        assert tuned == {key: pytest.approx(rate) for key, rate in rates.items()}


def test_what_was_asked_of_the_classifier_holds_over_frozen_features_too(tmp_path):
    base = replace(RECIPE, model=Part("fast", widths=(4, 4, 8), dense=16))
    runs = transfer_module._runs(base, ("Bag",), ("Dress", "Shirt"), 2, None, [], tmp_path)
    (frozen,) = (run.recipe.model.options for run in runs if run.name == "frozen")
    assert (frozen["dense"], frozen["dropout"]) == (16, 0.5)


def test_a_network_that_the_larger_classifier_does_not_fit_keeps_its_own(tmp_path):
    base = replace(RECIPE, model=Part("fast", widths=(4, 8), depths=(1, 1)), batch_size=64)
    found = study(tmp_path / "s", base=base)
    assert "grids" not in cards.read(found.folder / "frozen/bundle").recipe["model"]


def test_other_pictures_under_the_same_name_are_other_settings(found, monkeypatch):
    from hangtag.data.sets import drawn

    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 260)
    with pytest.raises(HangtagError) as caught:
        study(found.folder, few=(3,))
    assert caught.value.code == "run_other_settings"
