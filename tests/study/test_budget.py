import pytest

from hangtag import recipes
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import override, to_dict
from hangtag.data.sets import drawn
from hangtag.study.budget import epochs_within, probe, seconds_of
from hangtag.watch import Watch


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("90", 90), ("1.5m", 90)])
def test_a_budget_is_said_as_people_say_it(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 days", "-3s", "0s", "0", "m"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(HangtagError, match="30s, 5m or 1h") as caught:
        seconds_of(text)
    assert caught.value.code == "usage_value"


def test_epochs_fill_the_time_after_the_start_and_are_one_at_least():
    probed = {"startup_s": 4.0, "epoch_s": 10.0}
    assert epochs_within(60, probed) == 5
    assert epochs_within(64, probed) == 6
    assert epochs_within(1, probed) == 1


def test_a_probe_times_steps_and_reckons_an_epoch(monkeypatch):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 600)
    settings = ["batch_size=16", "model.filters=[2,4]", "epochs=50"]
    recipe = to_dict(override(recipes.create("lenet5"), settings))
    probed = probe(recipe, "drawn", None, "cpu", Watch())
    assert probed["steps"] >= 20
    assert probed["startup_s"] > 0
    steps = -(-550 // 16)
    assert steps * probed["step_s"] <= probed["epoch_s"] < 20 * steps * probed["step_s"] + 5
