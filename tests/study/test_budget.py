import pytest

from hangtag import recipes
from hangtag.core.recipe import override, to_dict
from hangtag.data.sets import drawn
from hangtag.study.budget import epochs_within, probe
from hangtag.watch import Watch


def test_epochs_fill_the_time_after_the_start_and_are_one_at_least():
    probed = {"startup_s": 4.0, "epoch_s": 10.0}
    assert epochs_within(60, probed) == 5
    assert epochs_within(64, probed) == 6
    assert epochs_within(1, probed) == 1


@pytest.mark.slow
def test_a_probe_times_steps_and_reckons_an_epoch(monkeypatch):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 600)
    settings = ["batch_size=16", "model.filters=[2,4]", "epochs=50"]
    recipe = to_dict(override(recipes.create("lenet5"), settings))
    probed = probe(recipe, "drawn", None, "cpu", Watch())
    assert probed["steps"] >= 20
    assert probed["startup_s"] > 0
    steps = -(-550 // 16)
    assert steps * probed["step_s"] <= probed["epoch_s"] < 20 * steps * probed["step_s"] + 5
