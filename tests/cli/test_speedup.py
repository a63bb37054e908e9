"""`hangtag speedup` reads changes, measures them one on top of the other, and shows where the time went."""

import json

import pytest
from click.testing import CliRunner

from hangtag.cli.speedup import _change, command
from hangtag.core.errors import HangtagError
from hangtag.study import speedup
from hangtag.study.speedup import Chain, Change, Step


def step(name, seconds, ratio, share):
    return Step(
        name=name, settings=("batch_size=512",), seconds=seconds, runs=(seconds,), ratio=ratio, share=share, epochs=1,
        train_accuracy=0.95, val_accuracy=0.93, test_accuracy=0.92, peak_rss_mb=500.0,
    )  # fmt: skip


@pytest.fixture
def measured(monkeypatch):
    asked = []

    def speed_chain(out, **options):
        asked.append((out, options))
        return Chain(recipe={}, data="drawn", steps=(step("baseline", 100, 1, 0), step("batch size", 5, 0.05, 1)))

    monkeypatch.setattr(speedup, "speed_chain", speed_chain)
    return asked


def test_a_change_is_a_name_and_settings():
    assert _change("batch size: batch_size=512 optimiser.lr=6e-3") == Change(
        "batch size", ("batch_size=512", "optimiser.lr=6e-3")
    )
    for wrong in ("batch_size=512", ": epochs=3", "epochs:"):
        with pytest.raises(HangtagError, match="name: key=value"):
            _change(wrong)


def test_shows_each_step_and_the_whole(measured, tmp_path):
    result = CliRunner().invoke(command, ["--out", str(tmp_path), "--seed", "3"], catch_exceptions=False)
    assert "×0.050" in result.stdout
    assert "−95.00%" in result.stdout
    (out, options), *_ = measured
    assert out == tmp_path
    assert options["changes"] == speedup.CHANGES
    assert options["baseline"].seed == 3


def test_json_holds_the_chain(measured, tmp_path):
    result = CliRunner().invoke(command, ["--out", str(tmp_path), "--json"], catch_exceptions=False)
    record = json.loads(result.stdout)
    assert record["saved"] == pytest.approx(0.95)
    assert record["reached"]


def test_another_recipe_needs_changes_of_its_own(tmp_path):
    with pytest.raises(HangtagError, match="--change"):
        CliRunner().invoke(command, ["lenet5", "--out", str(tmp_path)], catch_exceptions=False)
