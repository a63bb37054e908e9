"""Every picture is judged by networks that have not learnt from it, and nothing that is finished is done again."""

from dataclasses import replace

import numpy as np
import pytest

from hangtag import out_of_fold as module
from hangtag.core.errors import HangtagError
from hangtag.data.sets import drawn
from hangtag.out_of_fold import folds, out_of_fold


@pytest.fixture(scope="module")
def split():
    return drawn.pictures(60, seed=2)


@pytest.fixture
def learnt(monkeypatch):
    """In place of training: the pictures each network learnt from, in order. A network answers with their number."""
    seen = []

    def trained(recipe, training, checkpoints, device, stop, watch):
        seen.append(training.images)

        def predict_proba(images):
            return np.full((len(images), len(training.class_names)), len(training), np.float32)

        return predict_proba

    monkeypatch.setattr(module, "_trained", trained)
    monkeypatch.setattr(module, "_seconds", lambda *arguments: 61.0)
    return seen


def test_no_picture_is_judged_by_a_network_that_has_learnt_from_it(split, learnt, tmp_path):
    fold_of = folds(split.labels, 5)
    out_of_fold(split, tmp_path)
    assert len(learnt) == 5
    for k, images in enumerate(learnt):
        np.testing.assert_array_equal(images, split.images[fold_of != k])


def test_folds_hold_as_many_of_each_class_give_or_take_one():
    labels = np.random.default_rng(0).integers(0, 7, 500)
    fold_of = folds(labels, 5)
    for label in range(7):
        counts = np.bincount(fold_of[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.bincount(fold_of).max() - np.bincount(fold_of).min() <= 5


def test_pictures_of_another_half_are_judged_by_all_networks_together(split, learnt, tmp_path):
    unseen = drawn.pictures(20, seed=3)
    _, answers = out_of_fold(split, tmp_path, unseen=unseen)
    assert answers.shape == (20, 10)
    np.testing.assert_allclose(answers, np.mean([len(images) for images in learnt]), rtol=1e-5)


def test_says_how_long_it_takes_before_anything_is_trained(split, learnt, tmp_path):
    told = []
    out_of_fold(split, tmp_path, message=lambda text: told.append((text, len(learnt))))
    assert [count for _, count in told] == [0]
    assert told[0][0].startswith("5 quick networks to train: about 5:05;")


def test_what_is_finished_is_not_done_again(split, learnt, tmp_path):
    first, _ = out_of_fold(split, tmp_path)
    again, _ = out_of_fold(split, tmp_path, message=lambda text: pytest.fail(text))
    assert len(learnt) == 5
    np.testing.assert_array_equal(first, again)


def test_a_stopped_audit_goes_on_with_the_fold_it_was_at(split, learnt, tmp_path, monkeypatch):
    whole, done = module._trained, learnt

    def stopping(*arguments):
        if len(done) == 2:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(module, "_trained", stopping)
    with pytest.raises(KeyboardInterrupt):
        out_of_fold(split, tmp_path)
    monkeypatch.setattr(module, "_trained", whole)
    told = []
    out_of_fold(split, tmp_path, message=told.append)
    assert len(done) == 5
    assert told[0].startswith("3 quick networks")


def test_a_damaged_fold_is_done_again(split, learnt, tmp_path):
    out_of_fold(split, tmp_path)
    (path,) = tmp_path.glob("*/fold-2.npy")
    path.write_bytes(path.read_bytes()[:-40])
    out_of_fold(split, tmp_path)
    assert len(learnt) == 6


def test_another_set_is_not_taken_for_this_one(split, learnt, tmp_path):
    out_of_fold(split, tmp_path)
    out_of_fold(replace(split, labels=np.roll(split.labels, 1)), tmp_path)
    assert len(learnt) == 10


def test_a_class_of_one_picture_is_refused_by_name(split, tmp_path):
    kept = [*np.flatnonzero(split.labels != 4), np.flatnonzero(split.labels == 4)[0]]
    with pytest.raises(HangtagError, match="'Coat' has one picture"):
        out_of_fold(split.take(np.array(kept)), tmp_path)


@pytest.mark.slow
def test_trains_for_real(split, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STEPS", 3)
    monkeypatch.setattr(module, "MANY", 1)
    monkeypatch.setattr(module, "_TIMED", 2)
    told, steps = [], []
    answers, _ = out_of_fold(split, tmp_path, message=told.append, progress=lambda *now: steps.append(now))
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-4)
    assert told[0].startswith("2 quick networks to train: about ")
    assert steps[-1] == ("network 2 of 2", 3, 3)
    assert sorted(path.name for path in tmp_path.glob("*/fold-*")) == [f"fold-{k}.npy" for k in range(2)]
