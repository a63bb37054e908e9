"""The chain's books, with trainers that only pretend."""

import contextlib
import math

import pytest

from hangtag import recipes
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import override
from hangtag.data.sets import drawn
from hangtag.study import speedup
from hangtag.study.speedup import BASELINE, CHANGES, Change, speed_chain

STEPS = (Change("batch size", ("batch_size=64",)), Change("epochs", ("epochs=2",)))


@pytest.fixture
def chain(pretended, monkeypatch, tmp_path):
    def ends(recipe):
        seconds = 320 * recipe.epochs / recipe.batch_size
        history = [{"epoch": n} for n in range(1, recipe.epochs + 1)]
        return {"done": {"seconds": seconds, "val_accuracy": 0.92, "peak_rss_mb": 100.0, "history": history}}

    pretended.ends = staticmethod(ends)
    monkeypatch.setattr(speedup, "Trainers", pretended)
    monkeypatch.setattr(speedup, "_judged", lambda *given: {"data": "drawn", "train": 0.93, "test": 0.915})
    baseline = override(recipes.create("speed_baseline"), ["epochs=10"])

    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 40)

    def chain(**options):
        given = {"baseline": baseline, "changes": STEPS, "data": "drawn"}
        return speed_chain(tmp_path / "chain", **{**given, **options})

    return chain


def test_ratios_multiply_to_the_whole_and_shares_add_to_one(chain):
    found = chain()
    assert [step.seconds for step in found.steps] == [100, 50, 10]
    assert [step.ratio for step in found.steps] == [1, 0.5, 0.2]
    assert found.saved == pytest.approx(0.9)
    assert math.prod(step.ratio for step in found.steps) == pytest.approx(1 - found.saved)
    assert sum(step.share for step in found.steps) == pytest.approx(1)
    assert found.steps[1].share == pytest.approx(math.log(2) / math.log(10))
    assert not found.reached  # 0.9 is less than was published
    assert "training time −90.00% (10.0 s against 100.0 s) at 93.00% on training and 91.50% on test" in found.sentence()


def test_each_change_is_made_on_top_of_those_before_it(chain, pretended):
    chain()
    assert [(recipe.batch_size, recipe.epochs) for _, recipe in pretended.ran] == [(32, 10), (64, 10), (64, 2)]


def test_repeats_go_round_and_medians_count(chain, pretended):
    found = chain(repeats=3)
    assert [recipe.epochs for _, recipe in pretended.ran] == [10, 10, 2] * 3
    assert found.steps[0].runs == (100, 100, 100)
    assert found.to_dict()["steps"][2]["runs"] == [10, 10, 10]


def test_other_steps_in_one_folder_are_refused(chain):
    chain()
    with pytest.raises(HangtagError, match="batch_size: 64 there, 128 asked"):
        chain(changes=(Change("batch size", ("batch_size=128",)), STEPS[1]))


def test_other_data_in_one_folder_is_refused(chain, monkeypatch):
    chain()
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 50)
    with pytest.raises(HangtagError, match="data") as caught:
        chain()
    assert caught.value.code == "run_other_settings"


@pytest.mark.parametrize("name", ["batch size", "baseline"])
def test_two_steps_of_one_name_are_refused(chain, name):
    with pytest.raises(HangtagError, match="a name of its own"):
        chain(changes=(*STEPS, Change(name, ("epochs=1",))))


def test_a_run_that_fails_ends_the_chain_in_a_line(chain, pretended):
    pretended.ends = staticmethod(lambda recipe: {"failed": "the loss became nan"})
    with pytest.raises(HangtagError, match="the loss became nan"):
        chain()


def test_the_frozen_baseline_is_what_was_promised():
    recipe = recipes.create(BASELINE)
    assert (recipe.model.name, recipe.batch_size, recipe.precision, recipe.epochs) == ("custom_cnn", 32, "fp32", 20)
    for change in CHANGES:
        recipe = override(recipe, change.settings)
    assert recipe.batch_size > 32


def test_what_could_not_be_judged_is_refused_before_it_is_trained(chain, pretended):
    with pytest.raises(HangtagError, match="knn leaves no bundle"):
        chain(baseline=recipes.create("knn"), changes=(Change("few", ("few=3",)),))
    assert pretended.ran == []


@pytest.mark.slow  # a network is trained
def test_a_network_of_some_classes_is_judged_on_these(tmp_path, garments):
    settings = ["epochs=1", "batch_size=64", "model.filters=2,4", "classes=5-9", f"data={garments.partition('=')[0]}"]
    found = speed_chain(
        tmp_path / "chain", baseline=override(recipes.create("lenet5"), settings), data=garments, device="cpu",
        changes=(Change("batch size", ("batch_size=32",)),),
    )  # fmt: skip
    assert [step.name for step in found.steps] == ["baseline", "batch size"]


def test_ctrl_c_before_a_step_has_begun_is_no_failure(chain, pretended, monkeypatch):
    from hangtag.training import interrupt

    def meddle(count):
        stop.requested = True

    pretended.ends = staticmethod(lambda recipe: {"died": -2})
    pretended.meddle = staticmethod(meddle)
    stop = interrupt.Stop()
    monkeypatch.setattr(interrupt, "listening", lambda: contextlib.nullcontext(stop))
    with pytest.raises(KeyboardInterrupt):
        chain()
