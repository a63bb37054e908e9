"""Learning from teachers: asked once, kept, agreed with, and resumed to the bit."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hangtag import predict
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.predict.torch import TorchPredictor
from hangtag.training import teaching
from hangtag.training.teaching import Teachers, answers, answers_to_views, open_teachers
from hangtag.training.views import Views, channels_first

NAMES = ("top", "middle", "bottom")


class Teacher:
    """Says "bottom" of what is bright on the left."""

    class_names = NAMES

    def __init__(self):
        self.asked = 0

    def predict_proba(self, images):
        self.asked += len(images)
        bright = images[:, :, : images.shape[2] // 2].mean(axis=(1, 2)) / 255
        return np.stack([(1 - bright) / 2, (1 - bright) / 2, bright], axis=1).astype(np.float32)


def of(*teachers, full=False):
    return Teachers(list(teachers), [{"bundle": f"t{i}", "full": full} for i in range(len(teachers))])


def test_teachers_are_asked_once_and_their_mean_is_kept(tmp_path, pictures):
    teacher, images = Teacher(), pictures(9).images
    first = answers(of(teacher, teacher), images, NAMES, tmp_path / "t.npy", mirrored=False)
    again = answers(of(teacher, teacher), images, NAMES, tmp_path / "t.npy", mirrored=False)
    assert teacher.asked == 18
    assert np.array_equal(first, again)
    np.testing.assert_allclose(first, teacher.predict_proba(images), rtol=1e-6)


def test_a_student_that_meets_mirror_images_hears_of_both(tmp_path, pictures):
    images = pictures(9).images
    told = answers(of(Teacher()), images, NAMES, tmp_path / "t.npy", mirrored=True)
    both = (Teacher().predict_proba(images) + Teacher().predict_proba(images[:, :, ::-1])) / 2
    np.testing.assert_allclose(told, both, rtol=1e-6)


def test_damaged_answers_are_asked_for_again(tmp_path, pictures):
    (tmp_path / "t.npy").write_bytes(b"half a file")
    assert answers(of(Teacher()), pictures(5).images, NAMES, tmp_path / "t.npy", mirrored=False).shape == (5, 3)


def test_a_flipped_bit_in_kept_answers_is_noticed(tmp_path, pictures):
    images, kept = pictures(9).images, tmp_path / "t.npy"
    first = answers(of(Teacher()), images, NAMES, kept, mirrored=False)
    content = bytearray(kept.read_bytes())
    for place in (len(content) - 40, len(content) - 3):  # in the numbers, and in their digest
        flipped = content.copy()
        flipped[place] ^= 1
        kept.write_bytes(flipped)
        teacher = Teacher()
        assert np.array_equal(answers(of(teacher), images, NAMES, kept, mirrored=False), first)
        assert teacher.asked == 9


def test_a_teacher_of_other_classes_is_refused(tmp_path, pictures):
    with pytest.raises(HangtagError, match="the same classes") as caught:
        answers(of(Teacher()), pictures(5).images, ("a", "b"), tmp_path / "t.npy", mirrored=False)
    assert caught.value.code == "bundle_incompatible"


def test_a_teacher_of_other_pictures_is_refused(monkeypatch, trainer):
    card = Card(name="t", class_names=NAMES, size=28, colour=True, files={"model.onnx": {"sha256": "x", "bytes": 1}})
    monkeypatch.setattr(predict, "load", lambda name: SimpleNamespace(card=card))
    with pytest.raises(HangtagError, match="colour pictures of 28 pixels"):
        open_teachers(trainer.recipe(teachers=("t",)), torch.device("cpu"))


def taught(trainer, label):
    """Teachers who say `label` of everything."""
    said = np.full((len(trainer.training), 3), 0.05, np.float32)
    said[:, label] = 0.9
    return said


def test_a_student_believes_its_teachers_as_far_as_it_is_told_to(trainer):
    settings = {"teachers": ("t",), "epochs": 10, "temperature": 1.0, "optimiser": Part("adam", lr=0.01)}
    images = trainer.validation.images
    believing = trainer.fit(trainer.recipe(teacher_weight=1.0, **settings), "a", taught=taught(trainer, 2))
    doubting = trainer.fit(trainer.recipe(teacher_weight=0.0, **settings), "b", taught=taught(trainer, 2))
    said = [TorchPredictor(fitted.deployed, NAMES).predict_proba(images) for fitted in (believing, doubting)]
    assert (said[0].argmax(1) == 2).all()
    assert (said[1].argmax(1) == trainer.validation.labels).mean() > 0.9


def test_with_no_weight_teachers_change_nothing(trainer, digest_of):
    plain = trainer.fit(trainer.recipe(), "a")
    taught_so = trainer.fit(trainer.recipe(teachers=("t",), teacher_weight=0.0), "b", taught=taught(trainer, 1))
    assert plain.history[-1].loss == pytest.approx(taught_so.history[-1].loss, rel=1e-4)


@pytest.mark.parametrize("augment", [(), ("cutmix",)])
def test_a_taught_run_resumes_exactly(trainer, digest_of, augment):
    parts = tuple(Part(name) for name in augment)
    recipe = trainer.recipe(teachers=("t",), checkpoint_s=1e-9, prune=0.3, augment=parts)
    said = taught(trainer, 1)
    whole = trainer.fit(recipe, "whole", taught=said)
    trainer.killed_at(6, recipe, "killed", taught=said)
    assert digest_of(trainer.fit(recipe, "killed", taught=said)) == digest_of(whole)


VIEWED = (Part("alternating_flip"), Part("shift", pixels=1))


def viewed(split, parts=VIEWED):
    return Views(parts, channels_first(split.images), torch.zeros(len(split), 1))


def test_teachers_are_asked_about_the_very_views(tmp_path, pictures):
    teacher, split = Teacher(), pictures(9)
    said = answers_to_views(of(teacher, teacher), viewed(split), NAMES, tmp_path / "t.npy", (4, 9))
    again = answers_to_views(of(teacher, teacher), viewed(split), NAMES, tmp_path / "t.npy", (4, 9))
    assert teacher.asked == 2 * 4 * 9
    assert np.array_equal(said, again)
    for number in range(4):
        shown = Teacher().predict_proba(viewed(split).pictures(number))
        np.testing.assert_allclose(said[number], shown, atol=1e-3)


def test_of_more_views_only_those_are_asked_about_that_were_not(tmp_path, pictures):
    split, again = pictures(9), Teacher()
    answers_to_views(of(Teacher()), viewed(split), NAMES, tmp_path / "t.npy", (2, 9))
    more = answers_to_views(of(again), viewed(split), NAMES, tmp_path / "t.npy", (3, 9))
    assert again.asked == 9
    assert np.array_equal(more, answers_to_views(of(Teacher()), viewed(split), NAMES, tmp_path / "new.npy", (3, 9)))


def test_asking_about_views_goes_on_where_it_was_stopped(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr(teaching, "KEEP_S", 0.0)
    split, teacher = pictures(9), Teacher()

    def stop(what, asked, in_all):
        if asked == 3 * 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers_to_views(of(teacher), viewed(split), NAMES, tmp_path / "t.npy", (4, 9), progress=stop)
    answers_to_views(of(teacher), viewed(split), NAMES, tmp_path / "t.npy", (4, 9))
    assert teacher.asked == (3 + 2) * 9  # the third view was not kept yet


def test_answers_for_other_pictures_are_not_taken(tmp_path, pictures):
    answers_to_views(of(Teacher()), viewed(pictures(8)), NAMES, tmp_path / "t.npy", (2, 8))
    assert answers_to_views(of(Teacher()), viewed(pictures(9)), NAMES, tmp_path / "t.npy", (2, 9)).shape == (2, 9, 3)


def test_every_view_is_shown_once_before_one_is_shown_again(trainer, monkeypatch):
    shown, own = [], Views.of
    monkeypatch.setattr(Views, "of", lambda self, number: shown.append(number) or own(self, number))
    recipe = trainer.recipe(teachers=("t",), teacher_views=3, epochs=6, augment=VIEWED)
    said = np.full((3, 70, 3), 1 / 3, np.float16)
    trainer.fit(recipe, "a", taught=said)
    assert sorted(shown[:3]) == sorted(shown[3:]) == [0, 1, 2]


def test_what_is_said_of_a_view_is_learnt_with_that_view(trainer):
    views = Views(VIEWED, channels_first(trainer.training.images), torch.zeros(70, 1))
    said = np.stack([Teacher().predict_proba(views.pictures(number)) for number in range(4)]).astype(np.float16)
    recipe = trainer.recipe(
        teachers=("t",),
        **{"teacher_views": 4, "teacher_weight": 1.0, "temperature": 1.0, "epochs": 60, "augment": VIEWED},
        optimiser=Part("adam", lr=0.01),
    )
    fitted = trainer.fit(recipe, "a", taught=said)
    answer = TorchPredictor(fitted.deployed, NAMES).predict_proba(trainer.validation.images)
    assert np.abs(answer - Teacher().predict_proba(trainer.validation.images)).max() < 0.1


@pytest.mark.parametrize("parts", [VIEWED, (*VIEWED, Part("cutmix"))])
def test_a_run_on_views_resumes_exactly(trainer, digest_of, parts):
    recipe = trainer.recipe(teachers=("t",), teacher_views=2, checkpoint_s=1e-9, prune=0.3, augment=parts)
    said = np.random.default_rng(0).dirichlet((1, 1, 1), (2, 70)).astype(np.float16)
    whole = trainer.fit(recipe, "whole", taught=said)
    for step in (2, 6):
        trainer.killed_at(step, recipe, f"killed-{step}", taught=said)
        assert digest_of(trainer.fit(recipe, f"killed-{step}", taught=said)) == digest_of(whole)
