"""`hangtag train` parses, calls and prints; the run itself is tested in tests/test_experiment.py."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from hangtag import cli, experiment
from hangtag.cli import _training
from hangtag.experiment import Run
from hangtag.training.loop import Epoch, Progress

RUN = Run(
    bundle="runs/x/bundle",
    val_accuracy=0.91,
    val_loss=0.25,
    seconds=75.2,
    export_seconds=1.2,
    params=61_706,
    peak_rss_mb=400.0,
    resumed_from_step=1_200,
    best_epoch=3,
    history=[{"epoch": n} for n in range(1, 6)],
)


def epoch(n: int) -> Epoch:
    return Epoch(epoch=n, loss=0.5, accuracy=0.8, val_loss=0.4, val_accuracy=0.9, learning_rate=0.1, seconds=61.0 * n)


def progress(step: int, ended: bool) -> Progress:
    return Progress(
        step=step, steps=20, epoch=1 + (step - 1) // 10, epochs=2, loss=0.512, images_per_s=12_345.6, eta_s=75.0,
        last=epoch(step // 10) if step >= 10 else None, epoch_ended=ended,
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What `experiment.run` is asked, while it only pretends to run."""
    monkeypatch.chdir(tmp_path)
    asked = []

    def run(recipe, **given):
        asked.append((recipe, given))
        given["watch"].message("a word with a bell\x07")
        for step in range(1, 21):
            given["watch"].progress(progress(step, step % 10 == 0))
        return RUN

    monkeypatch.setattr(experiment, "run", run)
    return asked


def test_json_stands_alone_on_standard_output(asked, capsys):
    assert cli._run(["train", "lenet5", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == dataclasses.asdict(RUN)
    assert out.count("\n") == 1
    assert "\x07" not in err


def test_where_nobody_watches_each_epoch_is_a_line(asked, capsys):
    cli._run(["train", "lenet5"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].split()[:3] == ["epoch", "loss", "train"]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]
    assert "90.00%" in lines[2]
    assert "2:02" in lines[3]


def test_options_become_the_recipe_and_the_call(asked):
    words = ["train", "three_conv", "--set", "model.dropout=0.3", "--seed", "4", "--epochs", "2", "--full"]
    cli._run([*words, "--data", "drawn", "--out", "there", "--device", "cpu"])
    recipe, given = asked[0]
    assert (recipe.name, recipe.model.options["dropout"], recipe.seed, recipe.epochs) == ("three_conv", 0.3, 4, 2)
    assert (given["data"], given["out"], given["full"], given["device"]) == ("drawn", Path("there"), True, "cpu")
    assert given["clock"]() > 0


def test_epochs_and_seed_outrank_set(asked):
    cli._run(["train", "lenet5", "--epochs", "2", "--set", "epochs=9"])
    assert asked[0][0].epochs == 2


def test_a_recipe_written_down_can_be_run_again(asked, tmp_path):
    from hangtag import recipes
    from hangtag.core.recipe import to_dict

    recipe = recipes.create("fast")
    (tmp_path / "run.json").write_text(json.dumps({"recipe": to_dict(recipe), "full": False}))
    (tmp_path / "plain.json").write_text(json.dumps(to_dict(recipe)))
    for name in ("run.json", "plain.json"):
        assert cli._run(["train", name]) == 0
        assert asked[-1][0] == recipe


@pytest.mark.parametrize("content", ["", "[]", "{", '{"recipe": 3}', '{"name": "x"}', "[" * 100_000])
def test_a_file_that_is_no_recipe_is_one_line(asked, tmp_path, capsys, content):
    (tmp_path / "x.json").write_text(content)
    assert cli._run(["train", "x.json"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def shown(run: Run) -> str:
    stream = io.StringIO()
    _training.show_result(run, "[red]lenet5[/]", Console(file=stream, width=100))
    return stream.getvalue()


def test_shows_what_came_out_and_what_to_do_next():
    text = shown(RUN)
    for part in (
        "91.00%",
        "loss 0.250",
        "epoch 3 of 5",
        "1:15 to train, 1.2 s to export",
        "61,706 parameters",
        "400 MB",
    ):
        assert part in text
    for part in ("from step 1,200", "hangtag evaluate runs/x/bundle", "[red]lenet5[/]"):
        assert part in text


def test_the_next_step_names_the_data_it_was_given():
    stream = io.StringIO()
    _training.show_result(RUN, "x", Console(file=stream, width=100), data="my photos")
    assert "hangtag evaluate runs/x/bundle --data 'my photos'" in stream.getvalue()


def test_a_run_on_all_pictures_or_without_a_bundle_shows_no_empty_rows():
    text = shown(dataclasses.replace(RUN, val_accuracy=None, val_loss=None, bundle=None, best_epoch=None, params=None))
    assert "validation" not in text
    assert "for comparison only" in text


def test_the_live_display_names_speed_loss_time_left_and_validation(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(_training, "_REFRESH_S", 0.0)
    with _training.watched("a [name]") as watch:
        watch.reading("drawing", 3, 10)
        watch.reading("drawing", 10, 10)
        watch.message("said [in brackets]")
        for step in (1, 10, 15):
            watch.progress(progress(step, step == 10))
    err = capsys.readouterr().err
    for part in ("a [name]", "said [in brackets]", "epoch 2/2", "loss 0.512", "12,346 pictures/s", "1:15", "90.00%"):
        assert part in err, part
