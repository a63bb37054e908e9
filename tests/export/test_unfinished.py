"""A stopped run is a model: from the first validated epoch on its folder can be used, at any moment."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hangtag import experiment, predict
from hangtag.cli import _run
from hangtag.core import card as cards
from hangtag.core import paths
from hangtag.core.errors import HangtagError
from hangtag.core.paths import find_bundle, unfinished_in
from hangtag.core.recipe import ClassicalRecipe, NetworkRecipe, Part
from hangtag.data.sets import drawn
from hangtag.evaluation import evaluate_bundle
from hangtag.predict import bundle as bundles
from hangtag.watch import Watch

RECIPE = NetworkRecipe(
    name="tiny",
    data="drawn",
    model=Part("lenet5", filters=(2, 4), dense=(16, 8)),
    optimiser=Part("adam", lr=0.01),
    batch_size=32,
    epochs=4,
)


class Killed(BaseException):
    """Nothing catches this: only what is on disk remains."""


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 240)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 60)
    monkeypatch.setattr("os.fsync", lambda handle: None)
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def killed_after(epoch: int, recipe=RECIPE, out: str = "run", **given) -> None:
    """Train until the first step after an epoch, and vanish."""

    def progress(now):
        if now.epoch == epoch + 1 and not now.epoch_ended:
            raise Killed

    with pytest.raises(Killed):
        experiment.run(recipe, out=out, watch=Watch(progress=progress), **given)


def refused(name: str = "run") -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        predict.load(name)
    assert "\n" not in caught.value.message
    assert caught.value.code == "bundle_not_found"
    return caught.value


def test_a_stopped_run_recognises_with_its_best_weights_so_far_and_says_so():
    killed_after(2)
    found = predict.load("run")
    assert found.card.standing() == {"unfinished": True, "epoch": found.card.training["epochs"], "epochs": 4}
    history = found.card.training["history"]
    best = min(history, key=lambda epoch: epoch["val_loss"])
    assert best["epoch"] == found.card.training["epochs"]
    judged = evaluate_bundle("run", split="val")
    assert judged.accuracy == best["val_accuracy"]
    assert judged.loss == pytest.approx(best["val_loss"], abs=1e-3)
    assert judged.to_dict()["unfinished"] is True
    assert "unfinished: the weights of epoch" in str(judged)


def test_every_command_takes_the_folder_while_the_run_trains(capsys):
    done = []

    def progress(now):
        if now.epoch_ended and now.epoch == 2:  # the run holds its folder at this moment
            done.append(_run(["evaluate", "run", "--json"]))
            done.append(_run(["recognise", "shirt.png", "-m", "run", "--json"]))

    from PIL import Image

    Image.fromarray(drawn.pictures(1, 0).images[0]).save("shirt.png")
    experiment.run(RECIPE, out="run", watch=Watch(progress=progress))
    evaluated, recognised = capsys.readouterr().out.strip().split("\n", 1)
    assert done == [0, 0]
    assert json.loads(evaluated)["unfinished"] is True
    assert json.loads(recognised)[0]["unfinished"] is True


@pytest.mark.slow
def test_a_run_that_goes_on_ends_in_the_same_weights_and_is_finished_then():
    killed_after(1)
    killed_after(3)
    run = experiment.run(RECIPE, out="run", watch=Watch())
    experiment.run(RECIPE, out="unbroken", watch=Watch())
    weights = [Path(folder, "bundle", cards.WEIGHTS).read_bytes() for folder in ("run", "unbroken")]
    assert weights[0] == weights[1]
    assert not Path("run/unfinished").exists()
    assert predict.load("run").card.standing() == {}
    assert "unfinished" not in json.loads((Path(run.bundle) / "card.json").read_text())
    assert "unfinished" not in evaluate_bundle("run").to_dict()


@pytest.mark.slow
def test_a_kill_between_bundle_and_result_leaves_the_finished_model(monkeypatch):
    def vanish(run):
        raise Killed

    monkeypatch.setattr(experiment.unfinished, "clear", vanish)
    with pytest.raises(Killed):
        experiment.run(RECIPE, out="run", watch=Watch())
    assert predict.load("run").card.standing() == {}
    monkeypatch.undo()
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 240)
    experiment.run(RECIPE, out="run", watch=Watch())
    assert not Path("run/unfinished").exists()


def test_without_validation_the_last_epoch_counts():
    killed_after(3, full=True)
    card = predict.load("run").card
    assert (card.full, card.metrics, card.training["epochs"]) == (True, {}, 3)


def test_averaged_weights_are_what_is_kept():
    recipe = experiment.dataclasses.replace(RECIPE, average=Part("ema", decay=0.9), epochs=3)
    killed_after(1, recipe)
    history = predict.load("run").card.training["history"]
    assert evaluate_bundle("run", split="val").loss == pytest.approx(history[0]["val_loss"], abs=1e-3)


def test_two_epochs_are_kept_and_nothing_half_written(monkeypatch):
    real = experiment.unfinished.cards.seal

    def killed(card, folder, contents):
        if card.training["epochs"] == 3:
            (folder / "half").write_bytes(b"")
            raise Killed
        real(card, folder, contents)

    monkeypatch.setattr(experiment.unfinished.cards, "seal", killed)
    monkeypatch.setattr(experiment.unfinished.shutil, "rmtree", lambda *arguments, **options: None)  # killed
    improving = experiment.dataclasses.replace(RECIPE, optimiser=Part("adam", lr=0.001), schedule=Part("constant"))
    with pytest.raises(Killed):
        experiment.run(improving, out="run", watch=Watch())
    assert predict.load("run").card.training["epochs"] <= 2
    monkeypatch.undo()


def test_before_the_first_epoch_it_says_how_to_go_on(capsys):
    from hangtag.training.loop import _Run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "_step", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        command = ["train", "lenet5", "--data", "drawn", "--epochs", "3", "--set", "batch_size=16", "--out", "a run"]
        assert _run(command) == 130
    message = refused("a run").message
    assert message == (
        "a run has no validated epoch yet: let it train on: "
        "hangtag train lenet5 --set batch_size=16 --epochs 3 --data drawn --out 'a run'"
    )


def test_a_recipe_without_epochs_says_so(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(experiment.classical, "fit", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        experiment.run(ClassicalRecipe(name="c", data="drawn", estimator=Part("logistic")), out="run", watch=Watch())
    assert "has no epochs: let it run to its end" in refused().message


def test_a_reader_that_is_overtaken_reads_what_is_there_then(monkeypatch):
    killed_after(1)
    killed_after(3)
    real, overtaken = bundles._open, []

    def slow(folder):
        if not overtaken:  # between finding and reading, the epoch it found makes way
            overtaken.append(folder)
            newer = folder.with_name("epoch-000009")
            shutil.copytree(folder, newer)
            shutil.rmtree(folder)
        return real(folder)

    monkeypatch.setattr(bundles, "_open", slow)
    assert predict.load("run").card.unfinished
    assert not overtaken[0].exists()


def test_damaged_weights_are_refused_and_the_run_goes_on():
    killed_after(2)
    (unfinished_in(Path("run")) / cards.WEIGHTS).write_bytes(b"x")
    with pytest.raises(HangtagError) as caught:
        predict.load("run")
    assert caught.value.code == "bundle_damaged"
    assert experiment.run(RECIPE, out="run", watch=Watch()).resumed_from_step == 14


@pytest.mark.slow
def test_a_full_disk_for_the_weights_so_far_does_not_end_the_run(monkeypatch):
    def full(*arguments):
        raise HangtagError("storage_full", "no space left")

    messages: list[str] = []
    monkeypatch.setattr(experiment.unfinished, "keep", full)
    experiment.run(RECIPE, out="run", watch=Watch(message=messages.append))
    assert "the weights so far cannot be used yet: no space left" in messages


def test_other_settings_do_not_take_over_a_folder_with_a_model_in_it():
    killed_after(1)
    shutil.rmtree("run/checkpoints")
    with pytest.raises(HangtagError) as caught:
        experiment.run(experiment.dataclasses.replace(RECIPE, seed=7), out="run", watch=Watch())
    assert caught.value.code == "run_other_settings"


def test_without_torch_the_extra_is_named():
    killed_after(1)
    code = """
import sys
sys.modules["torch"] = None
from hangtag import predict
try:
    predict.load("run")
except Exception as error:
    print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "extra_missing", done.stderr


@pytest.mark.parametrize("name", ["epoch-000003.tmp.12.0123abcd", "epoch-x", "epoch-000000", "notes"])
def test_only_whole_epochs_count(tmp_path, name):
    (tmp_path / "r/unfinished" / name).mkdir(parents=True)
    (tmp_path / "r/unfinished" / name / "card.json").touch()
    assert paths.unfinished_in(tmp_path / "r") is None
    (tmp_path / "r/unfinished/epoch-000010").mkdir()
    (tmp_path / "r/unfinished/epoch-000009").mkdir()
    for number in (9, 10):
        (tmp_path / f"r/unfinished/epoch-{number:06d}/card.json").touch()
    assert find_bundle(tmp_path / "r").name == "epoch-000010"


def test_a_report_of_an_unfinished_run_says_so():
    pytest.importorskip("cleanlab")
    killed_after(2)
    from hangtag.report import report_on

    report = report_on("run")
    assert report.record["unfinished"] is True
    assert "<title>tiny (unfinished) on drawn" in report.html
    assert np.count_nonzero([line.count("unfinished: the weights of epoch") for line in report.html.splitlines()]) >= 2
