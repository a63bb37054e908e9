import numpy as np
import pytest

import hangtag.data
import hangtag.predict
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, Split
from hangtag.data.split import stratified
from hangtag.evaluation import evaluate_bundle

NAMES = ("dark", "bright")


class Loaded:
    class_names = NAMES

    def __init__(self, full=False, learnt=120):
        about = {"name": "lamps", "digest": split(learnt, 0).digest()}
        self.card = Card(name="brightness", class_names=NAMES, size=8, colour=False, full=full, data=about)

    def predict_proba(self, images):
        bright = images.mean(axis=(1, 2)) / 255
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)


def split(n, seed):
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    images = (generator.integers(0, 100, (n, 8, 8)) + 150 * labels[:, None, None]).astype(np.uint8)
    return Split(images, labels.astype(np.int64), NAMES)


@pytest.fixture
def asked(monkeypatch):
    """A data set found by name, a bundle loaded by name, and what was asked for."""
    asked = {}

    def find(spec, **wanted):
        asked.update(wanted, spec=spec)
        return Dataset("lamps", NAMES, lambda: split(120, 0), lambda: split(40, 1))

    monkeypatch.setattr(hangtag.data, "find", find, raising=False)
    monkeypatch.setattr(hangtag.predict, "load", lambda name, engine: Loaded(full=name == "full"), raising=False)
    return asked


def test_judges_on_the_test_split_of_the_cards_own_data(asked):
    evaluation = evaluate_bundle("some")
    assert (evaluation.n, evaluation.accuracy, evaluation.name) == (40, 1.0, "brightness")
    assert asked == {"spec": None, "name": "lamps", "size": 8, "colour": False, "progress": None}


def test_validation_is_the_part_held_out_of_training(asked):
    held_out = stratified(split(120, 0))[1]
    assert evaluate_bundle("some", split="val").n == len(held_out)


def test_data_named_by_the_user_is_looked_for_there(asked):
    evaluate_bundle("some", data="folder")
    assert asked["spec"] == "folder"


def test_a_loaded_predictor_is_judged_as_it_is(asked):
    assert evaluate_bundle(Loaded()).accuracy == 1.0


def test_refuses_validation_of_a_model_that_learnt_from_it(asked):
    with pytest.raises(HangtagError, match="trained on the validation pictures") as caught:
        evaluate_bundle("full", split="val")
    assert caught.value.code == "usage_split"
    assert evaluate_bundle("full").n == 40  # the test split is still fair


def test_refuses_validation_of_a_model_that_learnt_from_other_pictures(asked):
    """A folder that has grown is parted anew: most of what is held out now was learnt from before."""
    with pytest.raises(HangtagError, match="other data") as caught:
        evaluate_bundle(Loaded(learnt=110), split="val")
    assert caught.value.code == "usage_split"
    assert evaluate_bundle(Loaded(learnt=110)).n == 40


def test_refuses_a_split_that_does_not_exist(asked):
    with pytest.raises(HangtagError, match="'test' or 'val'"):
        evaluate_bundle("some", split="train")


class Partial(Loaded):
    """Taught two of the four classes of its data."""

    def __init__(self, digest="another"):
        super().__init__()
        about = {"name": "lamps", "classes_in_all": 4, "digest": digest}
        self.card = Card(name="some", class_names=NAMES, size=8, colour=False, data=about)


@pytest.mark.parametrize("which", ["test", "val"])
def test_a_model_of_some_classes_is_judged_on_the_pictures_of_these(monkeypatch, which):
    def four(n, seed):
        two = split(n, seed)
        images = np.concatenate([two.images, two.images])
        return Split(images, np.concatenate([two.labels * 2 + 1, two.labels * 2]), ("odd", "dark", "other", "bright"))

    whole = four(120, 0)
    found = Dataset("lamps", whole.class_names, lambda: whole, lambda: four(40, 1))
    monkeypatch.setattr(hangtag.data, "find", lambda spec, **wanted: found, raising=False)
    evaluation = evaluate_bundle(Partial(whole.digest()), split=which)
    assert evaluation.accuracy == 1.0
    assert evaluation.data.endswith("2 of 4 classes")
    held_out = stratified(whole)[1]
    assert evaluation.n == (40 if which == "test" else int(np.isin(held_out.labels, [1, 3]).sum()))


def test_a_model_that_merely_knows_fewer_classes_is_still_refused(monkeypatch):
    three = split(120, 0)
    whole = Split(three.images, three.labels, (*NAMES, "other"))
    found = Dataset("lamps", whole.class_names, lambda: whole, lambda: whole)
    monkeypatch.setattr(hangtag.data, "find", lambda spec, **wanted: found, raising=False)
    with pytest.raises(HangtagError) as caught:
        evaluate_bundle(Loaded())
    assert caught.value.code == "bundle_incompatible"
