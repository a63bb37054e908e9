import importlib

import pytest

import hangtag
from hangtag import recipes
from hangtag.core import keys
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part, fingerprint, options_of, override, to_dict


def registered():
    for head, package in keys.REGISTRIES.items():
        for name in importlib.import_module(package).register.names():
            yield pytest.param(head, name, id=f"{head}={name}")


@pytest.mark.parametrize(("head", "name"), registered())
def test_options_read_off_the_file_are_those_it_takes(head, name):
    maker = importlib.import_module(keys.REGISTRIES[head]).register.get(name)
    assert keys._options(head, name) == list(options_of(maker))


@pytest.fixture
def register(monkeypatch):
    """The models', whose entries are forgotten after the test."""
    from hangtag.models import register

    monkeypatch.setattr(register, "_entries", dict(register._entries))
    return register


def test_options_of_your_own_model_are_known(register):
    @register("mine_with_a_knob")
    def mine(num_classes, *, knob=3):
        raise AssertionError

    recipe = override(recipes.create("lenet5"), "model=mine_with_a_knob")
    assert keys.full_key(recipe, "knob") == "model.knob"


@pytest.mark.parametrize(
    ("recipe", "short", "full"),
    [
        ("lenet5", "lr", "optimiser.lr"),
        ("lenet5", "LR", "optimiser.lr"),
        ("lenet5", "learning_rate", "optimiser.lr"),
        ("lenet5", "learning-rate", "optimiser.lr"),
        ("lenet5", "dropout", "model.dropout"),
        ("lenet5", "batch", "batch_size"),
        ("lenet5", "batch-size", "batch_size"),
        ("lenet5", "bs", "batch_size"),
        ("lenet5", "wd", "optimiser.weight_decay"),
        ("lenet5", "optimizer", "optimiser"),
        ("lenet5", "optimizer.lr", "optimiser.lr"),
        ("lenet5", "optimiser.learning_rate", "optimiser.lr"),
        ("lenet5", "augmentation", "augment"),
        ("lenet5", "augmentations", "augment"),
        ("lenet5", "n_epochs", "epochs"),
        ("lenet5", "imgsz", "size"),
        ("lenet5", "color", "colour"),
        ("lenet5", "loss_smoothing", "label_smoothing"),
        ("lenet5", "random_state", "seed"),
        ("fast", "image_size", "size"),  # cutout has a size too
        ("hour", "pixels", "augment.shift.pixels"),
        ("hour", "shift.pixels", "augment.shift.pixels"),
        ("hour", "warmup", "schedule.warmup"),
        ("svm", "C", "estimator.C"),
        ("knn", "k", "estimator.n_neighbors"),
        ("gradient_boosting", "lr", "estimator.learning_rate"),
        ("lenet5", "optimiser.lr", "optimiser.lr"),
        ("lenet5", "epochs", "epochs"),
    ],
)
def test_a_short_key_is_the_long_one(recipe, short, full):
    base = recipes.create(recipe)
    assert keys.full_key(base, short) == full


def test_a_run_with_a_short_key_is_the_run_with_the_long_one():
    base = recipes.create("lenet5")
    for short, full in (
        ("lr=0.1", "optimiser.lr=0.1"),
        ("dropout=0.2", "model.dropout=0.2"),
        ("batch=9", "batch_size=9"),
    ):
        one, other = hangtag.override(base, short), hangtag.override(base, full)
        assert one == other
        assert fingerprint(to_dict(one)) == fingerprint(to_dict(other))


def test_where_several_are_meant_all_are_named():
    base = override(recipes.create("hour"), "augment=flip,erase")
    with pytest.raises(
        HangtagError, match=r"'probability' may be augment.flip.probability or augment.erase.probab"
    ) as caught:
        override(base, "probability=0.3")
    assert caught.value.code == "usage_unknown_key"
    assert override(base, "erase.probability=0.3").augment == (Part("flip"), Part("erase", probability=0.3))


@pytest.mark.parametrize(
    ("recipe", "setting", "hint"),
    [
        ("lenet5", "lrr=0.1", "Did you mean 'optimiser.lr'?"),
        ("lenet5", "leraning_rate=0.1", "Did you mean 'optimiser.lr'?"),
        ("lenet5", "dropuot=0.1", "Did you mean 'model.dropout'?"),
        ("lenet5", "batchsise=9", "Did you mean 'batch_size'?"),
        ("lenet5", "momentum=0.9", "It is an option of optimiser=muon|rmsprop|sgd; here adam takes lr, beta1"),
        ("lenet5", "decay=0.9", "It is an option of average=ema|lookahead; here average is empty."),
        ("three_conv", "pixels=1", "It is an option of augment=shift; here augment is empty."),
        ("photos", "filters=[1]", "here efficientnet_lite takes side, dropout."),
        (
            "svm",
            "zzz=1",
            "It takes: data, size, colour, classes, few, class_weights, estimator, seed; estimator.variance|C|gamma.",
        ),
        ("lenet5", "optimsier.lr=1", "Did you mean 'optimiser'?"),
    ],
)
def test_what_is_no_option_is_answered_with_what_there_is(recipe, setting, hint):
    with pytest.raises(HangtagError) as caught:
        override(recipes.create(recipe), setting)
    assert caught.value.code == "usage_unknown_key"
    assert hint in caught.value.message
    assert "\n" not in caught.value.message


def test_a_model_without_dropout_says_what_it_has(register):
    @register("mine_without_dropout")
    def mine(num_classes, *, width=3):
        raise AssertionError

    base = override(recipes.create("lenet5"), "model=mine_without_dropout")
    with pytest.raises(
        HangtagError, match=r"'dropout'\. It is an option of model=.*; here mine_without_dropout takes width"
    ):
        override(base, "dropout=0.2")
