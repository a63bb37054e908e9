"""`hangtag tune` parses, calls and prints; studies themselves are tested in tests/study/."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from hangtag import cli
from hangtag.cli import _tuning
from hangtag.study import tune as module
from hangtag.study import tuned
from hangtag.study.trials import Trial
from hangtag.study.tune import Now, Standing


def trial(number, state="complete", accuracy=0.9, **given):
    settings = {"optimiser.lr": 0.00123456, "model.filters": "32,64"}
    return Trial(number=number, state=state, settings=settings, val_accuracy=accuracy, seconds=75.0, **given)


def standing(**given):
    trials = [
        trial(0),
        trial(1, accuracy=0.95),
        trial(2, "failed", None, error="a [bell]\x07"),
        trial(3, "running", None),
    ]
    now = {3: Now(epoch=1, epochs=4, done=0.25, val_accuracy=0.5)}
    return Standing(trials=trials, now=now, wanted=9, eta_s=75.0, start=trials[0], best=trials[1], **given)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What `tune` is asked, while it only pretends."""
    monkeypatch.chdir(tmp_path)
    asked = []

    class Answer:
        def write(self):
            Path("written").touch()

        def to_dict(self):
            return {"sentence": "nothing gained"}

    def tune(space, **given):
        asked.append((space, given))
        given["watch"].message("a word with a bell\x07")
        given["watch"].standing(standing())
        given["watch"].standing(standing())
        return SimpleNamespace(stopped=space.recipe.seed == 13, out=Path("there"))

    monkeypatch.setattr(module, "tune", tune)
    monkeypatch.setattr(tuned, "results", lambda study: Answer())
    return asked


def test_options_become_the_space_and_the_call(asked):
    words = [
        "tune",
        "three_conv",
        "--space",
        "published_grid",
        "--space",
        "batch_size=8,16",
        "--set",
        "model.dropout=0.3",
    ]
    words += ["--seed", "4", "--epochs", "2", "--objective", "accuracy-time", "--trials", "7", "--timeout", "10m"]
    words += ["--jobs", "2", "--no-prune", "--storage", "sqlite:///x", "--study", "mine", "--data", "drawn"]
    assert cli._run([*words, "--out", "there", "--device", "cpu", "--json"]) == 0
    space, given = asked[0]
    assert (space.recipe.seed, space.recipe.epochs, space.recipe.model.options["dropout"]) == (4, 2, 0.3)
    assert space.to_dict()["batch_size"] == "8,16"
    del given["watch"]
    assert given == {
        "objective": "accuracy-time", "grid": False, "trials": 7, "timeout_s": 600.0, "jobs": 2, "prune": False,
        "storage": "sqlite:///x", "name": "mine", "data": "drawn", "out": Path("there"), "device": "cpu",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "grid"),
    [
        (["--space", "published_grid"], True),
        (["--space", "published_grid", "--sampler", "tpe"], False),
        (["--space", "published_grid", "--space", "epochs=3,4"], False),
        (["--space", "epochs=3,4", "--sampler", "grid"], True),
        (["--space", "epochs=3,4"], False),
    ],
)
def test_a_space_may_ask_for_the_whole_grid_and_be_overruled(asked, words, grid):
    assert cli._run(["tune", "three_conv", *words, "--json"]) == 0
    assert asked[0][1]["grid"] is grid


def test_json_stands_alone_and_results_are_written(asked, capsys):
    assert cli._run(["tune", "three_conv", "--space", "published_grid", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"sentence": "nothing gained"}
    assert Path("written").exists()
    assert "\x07" not in err


def test_after_ctrl_c_results_so_far_are_written_and_the_exit_status_says_so(asked, capsys):
    assert cli._run(["tune", "three_conv", "--space", "published_grid", "--seed", "13", "--json"]) == 130
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "interrupted"
    assert "there: the same command goes on" in err
    assert Path("written").exists()


def test_where_nobody_watches_each_trial_that_is_over_is_a_line_once(capsys):
    watch = _tuning._lines()
    first = standing()
    watch.standing(Standing(trials=first.trials[:1], now={}, wanted=9, eta_s=75.0, start=None, best=first.trials[0]))
    watch.standing(first)
    watch.standing(first)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].split()[:3] == ["0", "complete", "90.00%"]
    assert "best so far" in lines[1]
    assert "1:15 left" in lines[1]
    assert "a [bell]\\x07" in lines[2]


def test_the_live_table_marks_the_best_and_shows_what_runs():
    stream = io.StringIO()
    Console(file=stream, width=120).print(_tuning._table(standing()))
    text = stream.getvalue()
    for part in (
        "★ best",
        "95.00%",
        "start",
        "epoch 2/4  25%",
        "a [bell]\\x07",
        "lr=0.001235",
        "3 of 9 trials",
        "1:15 left",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--space", "model.dropuot=0.1,0.2"], "usage_unknown_key", "Did you mean 'dropout'?"),
        (["--space", "optimiser.lr=1..0"], "usage_space", "empty range"),
        (["--space", "optimsers"], "usage_unknown_space", "Did you mean 'optimisers'?"),
        ([], "usage", "--space"),
        (["--space", "epochs=1,2", "--timeout", "soon"], "usage", "90s, 10m or 2h"),
        (["--space", "epochs=1,2", "--trials", "0"], "usage", "--trials"),
        (["--space", "optimiser.lr=0.1..0.3", "--sampler", "grid"], "usage_space", "a grid wants values"),
        (["--space", "epochs=1,2", "--objective", "accuracy-time", "--prune"], "usage_value", "--prune"),
        (["--space", "epochs=1,2", "--data", "drwan"], "data_not_found", "Did you mean 'drawn'?"),
    ],
)
def test_bad_input_is_one_line_before_anything_runs(words, code, hint, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli._run(["tune", "three_conv", *words, "--json"]) != 0
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert hint in err
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
