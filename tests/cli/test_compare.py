"""`hangtag compare` parses, calls and prints; the study itself is tested in tests/study/."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from hangtag import cli
from hangtag.cli._study import show_comparison, watched_study
from hangtag.study import compare as study
from hangtag.study.compare import Comparison, Row
from hangtag.study.significance import Contender, letters, pairs

RUN = {
    "loss": 0.3, "f1": 0.9, "val_accuracy": 0.9, "train_accuracy": 0.95, "seconds": 20.0, "peak_rss_mb": 400.0,
    "params": 1_200_000, "file_mb": 0.3, "epochs": 5, "bundle": "b", "per_class": {"bag": 0.9},
    "fit": {"code": "HT002", "verdict": "underfitting", "sentence": "It gets 5% wrong."},
}  # fmt: skip
FAILED = {"seed": 2, "error": {"code": "training_failed", "message": "it broke"}}


def comparison(folder, count: int) -> Comparison:
    rows = tuple(
        Row(
            name=f"recipe_{i:02}", seeds=(0, 1), trained=True, over_budget=False, failed=(FAILED,) if i == 1 else (),
            runs=tuple({**RUN, "accuracy": 0.95 - i / 50 + seed / 1000} for seed in (0, 1)),
            latency={"p50_ms": 0.1, "p99_ms": 12.345, "images_per_s": 1_234_567.0, "n": 400},
        )
        for i in range(count)
    )  # fmt: skip
    contenders = []
    for row in rows:
        right = np.arange(500) < row.runs[0]["accuracy"] * 500
        answers = np.where(right[:, None], [1.0, 0.0], [0.0, 1.0]).astype(np.float32)
        contenders.append(Contender(row.name, answers, {0: row.runs[0]["accuracy"], 1: row.runs[1]["accuracy"]}))
    held = pairs(contenders, np.zeros(500, np.int64))
    return Comparison(
        folder=folder, data="shop", split="test", pictures=500, seeds=(0, 1), budget_s=None, rows=rows,
        pairs=tuple(held), letters=letters([row.name for row in rows], held),
    )  # fmt: skip


def shown(found: Comparison, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_comparison(found, console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 180, 240])
def test_no_number_is_cut_off_however_narrow_the_terminal(tmp_path, width):
    text = shown(comparison(tmp_path, 12), width)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines() if str(tmp_path) not in line) <= width  # paths stay whole
    for value in ("95.05 ± 0.07", "1,234,567", "1,200,000", "12.35", "underfitting", "it broke"):
        assert value in text


def test_twelve_recipes_take_no_more_lines_than_can_be_read(tmp_path):
    assert len(shown(comparison(tmp_path, 12), 240).splitlines()) < 40


def test_json_stands_alone_on_standard_output(tmp_path, monkeypatch, capsys):
    asked = {}

    def compare(contestants, seeds, **options):
        asked.update(options, names=[one.name for one in contestants], seeds=list(seeds))
        return comparison(tmp_path, 3)

    monkeypatch.setattr(study, "compare", compare)
    words = ["compare", "lenet5", "knn", "--seeds", "3", "--seed", "5", "--budget", "2m", "--split", "val", "--json"]
    assert cli._run(words) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["recipe"] for row in record["rows"]] == ["recipe_00", "recipe_01", "recipe_02"]
    assert set(record["pairs"][0]) >= {"first", "second", "difference", "low", "high", "p", "p_holm", "real"}
    assert (asked["names"], asked["seeds"], asked["budget_s"]) == (["lenet5", "knn"], [5, 6, 7], 120)
    assert asked["split"] == "val"
    assert (tmp_path / "compare.html").exists()


@pytest.mark.parametrize(
    ("words", "status", "code", "hint"),
    [
        (["lenet5", "--budget", "soon"], 2, "usage", "90s, 10m or 2h"),
        (["lenet5", "--budget", "5m", "--epochs", "3"], 2, "usage_value", "leave --epochs out"),
        (["lenet"], 2, "usage_unknown_recipe", "Did you mean 'lenet5'?"),
        (["lenet5", "lenet5"], 2, "usage_value", "twice"),
        (["x.keras"], 5, "bundle_not_found", "x.keras"),
        (["lenet5", "--data", "drwan"], 4, "data_not_found", "Did you mean 'drawn'?"),
        (["lenet5", "--seeds", "0"], 2, "usage", "--seeds"),
        ([], 2, "usage", "RECIPE"),
    ],
)
def test_bad_input_is_one_line(capsys, monkeypatch, tmp_path, words, status, code, hint):
    monkeypatch.chdir(tmp_path)
    assert cli._run(["compare", *words, "--json"]) == status
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert hint in err
    assert err.count("\n") == 1
    assert not list(tmp_path.rglob("study.json"))


def test_without_a_terminal_each_run_is_a_line_as_it_begins_and_ends(capsys):
    with watched_study("comparing 2") as watch:
        watch.begins("lenet5, seed 0", 1, 4, None)
        watch.told({"step": 1, "steps": 2, "epoch": 1, "epochs": 1, "eta_s": 3.0})
        watch.ended("lenet5, seed 0: 90.00% right in 20 s")
        watch.begins("knn, seed 0", 2, 4, 75.0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("[1/4] lenet5, seed 0")
    assert lines[2].endswith("about 1:15 for those after it")
