"""A student is a run like any other, and its card says who taught it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.data.sets import drawn
from hangtag.study.distil import distil

from .conftest import RECIPE, quiet

pytestmark = pytest.mark.usefixtures("small")


@pytest.mark.slow
def test_the_card_names_teachers_by_digest_and_the_record_sets_beside_them(trained, tmp_path):
    teacher = trained("one")
    found = distil([teacher], replace(RECIPE, name="student"), plain=True, out=tmp_path / "s", watch=quiet())
    card = cards.read(tmp_path / "s/bundle")
    assert card.training["teachers"][0]["sha256"] == cards.read(_folder(teacher)).files["model.onnx"]["sha256"]
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["val_accuracy"] == found.student.val_accuracy
    assert record["teacher_val_accuracy"] is not None
    assert record["plain_val_accuracy"] == found.plain.val_accuracy
    again = distil([teacher], replace(RECIPE, name="student"), plain=True, out=tmp_path / "s", watch=quiet())
    assert again.to_dict() == record


def test_a_student_of_views_is_shown_what_its_teachers_were_asked_about(trained, tmp_path):
    student = replace(RECIPE, name="student", augment=(Part("shift", pixels=1),))
    distil([trained("one")], student, views=3, full=True, out=tmp_path / "s", watch=quiet())
    said = np.load(next((tmp_path / "s").glob("teachers-*.npy")))
    card = cards.read(tmp_path / "s/bundle")
    assert said.shape == (3, card.data["training"], len(card.class_names))
    assert card.full
    assert card.recipe["teacher_views"] == 3


def _folder(name):
    from pathlib import Path

    return Path(name)


def test_another_teacher_is_another_run(trained, tmp_path):
    distil([trained("one")], RECIPE, out=tmp_path / "s", watch=quiet())
    with pytest.raises(HangtagError, match="teachers") as caught:
        distil([trained("two", seed=1)], RECIPE, out=tmp_path / "s", watch=quiet())
    assert caught.value.code == "run_other_settings"


@pytest.mark.slow
def test_what_one_teacher_said_is_never_taken_for_what_another_says(trained, tmp_path, monkeypatch):
    def stopped(*arguments, **given):
        raise KeyboardInterrupt  # after asking, before there is anything that would keep others out of the folder

    with monkeypatch.context() as patched:
        patched.setattr("hangtag.training.loop.fit", stopped)
        with pytest.raises(KeyboardInterrupt):
            distil([trained("one")], RECIPE, out=tmp_path / "s", watch=quiet())
    other = trained("two", seed=1)
    distil([other], RECIPE, out=tmp_path / "s", watch=quiet())
    distil([other], RECIPE, out=tmp_path / "fresh", watch=quiet())
    said = {path.name: path.read_bytes() for path in (tmp_path / "s").glob("teachers-*.npy")}
    fresh = next((tmp_path / "fresh").glob("teachers-*.npy"))
    assert len(said) == 2
    assert said[fresh.name] == fresh.read_bytes()


def test_a_teacher_that_knows_the_validation_pictures_is_told_of(trained, tmp_path):
    said = []
    watch = replace(quiet(), message=said.append)
    found = distil([trained("all", full=True)], RECIPE, out=tmp_path / "s", watch=watch)
    assert any("validation flatters" in line for line in said)
    assert found.to_dict()["teacher_val_accuracy"] is None


def test_a_teacher_that_may_know_the_validation_pictures_is_told_of(trained, tmp_path, monkeypatch):
    teacher = trained("one")
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", drawn.TRAINING_PICTURES + 20)  # the folder has grown since
    said = []
    distil([teacher], RECIPE, out=tmp_path / "s", watch=replace(quiet(), message=said.append))
    assert any("may know the validation pictures: validation flatters" in line for line in said)


def test_of_a_teacher_that_does_not_nothing_is_said(trained, tmp_path):
    said = []
    distil([trained("one")], RECIPE, out=tmp_path / "s", watch=replace(quiet(), message=said.append))
    assert not any("flatters" in line for line in said)


def test_an_algorithm_without_gradients_is_no_student(trained):
    with pytest.raises(HangtagError, match="choose a network"):
        distil([trained("one")], ClassicalRecipe(name="knn", estimator=Part("knn")))
