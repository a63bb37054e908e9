"""The screens of what goes on from trained models, from end to end on few drawn pictures."""

import json

import pytest

from hangtag import cli
from hangtag.data.sets import drawn

pytestmark = pytest.mark.slow  # networks are trained


@pytest.fixture(autouse=True)
def _few_drawings(monkeypatch, tmp_path):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 400)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 100)
    monkeypatch.chdir(tmp_path)


def ran(capsys, *words: str) -> str:
    assert cli._run([*words]) == 0
    return capsys.readouterr().out


def test_transfer_shows_its_stages_and_where_the_rest_lies(capsys):
    words = ("transfer", "lenet5", "--from", "0-4", "--to", "5-9", "--data", "drawn", "--epochs", "1", "--out", "moved")
    shown = ran(capsys, *words)
    for part in ("frozen", "fine-tuned", "scratch", "Sandal", "moved/transfer.html"):
        assert part in shown
    record = json.loads(ran(capsys, *words, "--json"))
    assert record["frozen"]["n"] == 50


def test_ensembles_and_students_show_what_came_out(capsys):
    for seed in ("0", "1"):
        ran(capsys, "train", "lenet5", "--data", "drawn", "--epochs", "1", "--seed", seed, "--out", f"runs/{seed}")
    shown = ran(capsys, "ensemble", "runs/0", "runs/1", "--out", "runs/both")
    assert "together (average)" in shown
    assert shown.count("%") == 3
    assert json.loads(ran(capsys, "evaluate", "runs/both", "--json"))["n"] == 100
    words = ("distil", "runs/both", "--into", "lenet5", "--data", "drawn", "--epochs", "1", "--out", "runs/student")
    assert "runs/student/bundle" in ran(capsys, *words)
    assert json.loads(ran(capsys, *words, "--json"))["val_accuracy"] > 0
