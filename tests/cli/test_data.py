from __future__ import annotations

import errno
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hangtag.cli.data import command
from hangtag.core import card as cards
from hangtag.data.sets import drawn
from hangtag.data.sets.fashion_mnist import FASHION_MNIST

from ..predict.conftest import tiny_model


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def hangtag(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The whole program, as users run it."""
    environment = {name: value for name, value in os.environ.items() if name != "HANGTAG_DATA"} | environment
    program = [sys.executable, "-c", "from hangtag.cli import main; main()"]
    return subprocess.run([*program, *arguments], env=environment, capture_output=True, text=True, check=False)


FIRST = gzip.compress(b"")  # how a gzip file begins


@pytest.fixture
def wares(tmp_path: Path) -> Path:
    """Two classes of ten small pictures; one picture is broken."""
    for label, shade in (("coat", 40), ("hat", 200)):
        (tmp_path / "wares" / label).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(np.full((28, 28), shade + i, dtype=np.uint8)).save(tmp_path / "wares" / label / f"{i}.png")
    (tmp_path / "wares" / "hat" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return tmp_path / "wares"


@pytest.fixture
def _few_drawings(monkeypatch):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 40)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 20)


@pytest.mark.parametrize("verb", ["fetch", "verify", "show", "audit"])
def test_help_shows_an_example(verb):
    assert f"Example: hangtag data {verb}" in run(verb, "--help").stdout


@pytest.mark.usefixtures("_few_drawings")
def test_show_writes_a_sheet_and_prints_the_counts(tmp_path):
    result = run("show", "--data", "drawn", "--out", str(tmp_path / "sheets" / "a.png"))
    assert result.exit_code == 0, result.output
    assert "Ankle boot" in result.stdout
    with Image.open(tmp_path / "sheets" / "a.png") as sheet:
        assert sheet.width > 1000
    assert "a.png" in result.stderr


@pytest.mark.usefixtures("_few_drawings")
def test_show_of_the_test_half_says_so(tmp_path):
    result = run("show", "--data", "drawn", "--split", "test", "--out", str(tmp_path / "a.png"))
    assert "Test" in result.stdout
    assert "Training" not in result.stdout


def test_json_stands_alone_on_standard_output(wares, tmp_path):
    for verb in (["fetch"], ["verify"], ["show", "--out", str(tmp_path / "a.png")]):
        result = run(*verb, "--data", str(wares), "--json")
        record = json.loads(result.stdout)
        assert record["name"] == "wares"


def test_names_what_is_left_out_on_standard_error(wares):
    for verb in ("fetch", "verify"):
        assert "broken.png" in run(verb, "--data", str(wares)).stderr


def test_verify_counts_the_classes_of_a_folder_and_names_what_is_left_out(wares):
    record = json.loads(run("verify", "--data", str(wares), "--json").stdout)
    assert record["ok"] is True
    halves = record["training"]["counts"], record["test"]["counts"]
    assert {label: sum(half[label] for half in halves) for label in ("coat", "hat")} == {"coat": 10, "hat": 10}
    skipped = record["training"]["skipped"] + record["test"]["skipped"]
    assert any("broken.png" in entry for entry in skipped)


def test_verify_counts_what_both_halves_pass_by_once(wares):
    (wares / "hat" / "notes.txt").write_text("mine")
    assert run("verify", "--data", str(wares)).stderr.startswith("2 files left out:")


def test_verify_reports_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    for file in FASHION_MNIST.files:
        (tmp_path / file.name).write_bytes(FIRST[:2])
    locked = FASHION_MNIST.files[1].name
    opened = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith(locked):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    result = run("verify", "--data", str(tmp_path), "--json")
    assert result.exit_code == 4
    assert [file["error"]["code"] for file in json.loads(result.stdout)["files"]].count("data_unreadable") == 1


def test_verify_names_every_bad_file_and_ends_with_4(tmp_path):
    for i, file in enumerate(FASHION_MNIST.files, start=2):
        (tmp_path / file.name).write_bytes(FIRST[:i])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    result = run("verify", "--data", str(tmp_path), "--json")
    record = json.loads(result.stdout)
    assert (result.exit_code, record["ok"]) == (4, False)
    assert [file["error"]["code"] for file in record["files"]] == ["data_truncated"] * 4
    assert record["files"][1]["bytes"] == 3
    table = run("verify", "--data", str(tmp_path))
    assert table.stdout.count("data_truncated") == 4
    assert "error:" in table.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_offline_ends_in_one_line_with_the_cures(tmp_path):
    ran = hangtag("data", "fetch", HANGTAG_CACHE=str(tmp_path), HANGTAG_MIRRORS="http://127.0.0.1:1/")
    assert ran.returncode == 4
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    for part in ("127.0.0.1:1", "--data", "HANGTAG_DATA", str(tmp_path)):
        assert part in line
    assert not list(tmp_path.rglob("*.gz"))


def test_unknown_data_ends_in_one_line_and_in_json(tmp_path):
    ran = hangtag("data", "verify", "--data", "drwan", "--json")
    assert ran.returncode == 4
    assert json.loads(ran.stdout)["error"]["code"] == "data_not_found"
    assert ran.stderr.startswith("error: 'drwan' is neither")


def test_control_characters_in_a_class_name_stay_off_the_terminal(wares, tmp_path):
    if os.name == "nt":
        pytest.skip("such names cannot be there")
    (wares / "hat").rename(wares / "h\x1b[31mat")
    result = run("show", "--data", str(wares), "--out", str(tmp_path / "a.png"))
    assert "\x1b" not in result.stdout
    assert "\x1b" not in result.stderr


@pytest.mark.real
def test_verify_finds_the_real_files_right():
    record = json.loads(run("verify", "--json").stdout)
    assert record["ok"] is True
    assert [file["shape"] for file in record["files"]] == [[60_000, 28, 28], [60_000], [10_000, 28, 28], [10_000]]
    assert set(record["test"]["counts"].values()) == {1_000}


@pytest.mark.usefixtures("_few_drawings")
def test_audit_writes_a_row_for_each_finding_and_galleries(tmp_path):
    result = run("audit", "--data", "drawn", "--out", str(tmp_path / "found"))
    assert result.exit_code == 0, result.output
    assert "near-duplicate pairs" in result.stdout
    assert "say --labels" in result.stderr
    assert (tmp_path / "found" / "audit.csv").read_bytes().startswith(b"split,picture,label,finding")


def test_audit_names_the_files(wares, tmp_path):
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(wares / "hat" / "nothing.png")
    result = run("audit", "--data", str(wares), "--split", "training", "--out", str(tmp_path / "a"), "--json")
    record = json.loads(result.stdout)
    assert record["name"] == "wares"
    assert list(record["splits"]) == ["training"]
    assert record["splits"]["training"]["label_errors"] is None
    assert {"split": "training", "picture": "hat/nothing.png", "label": "hat"}.items() <= record["findings"][-1].items()
    assert "nothing.png" in (tmp_path / "a" / "audit.csv").read_text(encoding="utf-8")
    assert str(tmp_path / "a" / "odd-pictures.html") in record["files"]


def test_audit_tells_what_was_left_out(wares, tmp_path):
    assert "broken.png" in run("audit", "--data", str(wares), "--out", str(tmp_path / "a")).stderr


def test_audit_leaves_no_gallery_of_what_is_no_longer_there(wares, tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("label-errors.html", "label-errors.png"):
        (tmp_path / "a" / name).write_bytes(b"of an earlier audit")
    run("audit", "--data", str(wares), "--out", str(tmp_path / "a"))
    assert not list((tmp_path / "a").glob("label-errors.*"))


@pytest.mark.slow
@pytest.mark.usefixtures("_few_drawings")
def test_audit_judges_labels_out_of_fold_in_both_halves(tmp_path, monkeypatch):
    from hangtag import out_of_fold

    monkeypatch.setattr(out_of_fold, "STEPS", 1)
    monkeypatch.setattr(out_of_fold, "MANY", 1)
    monkeypatch.setattr(out_of_fold, "_TIMED", 2)
    result = run("audit", "--data", "drawn", "--labels", "out-of-fold", "--out", str(tmp_path), "--json")
    splits = json.loads(result.stdout)["splits"]
    assert {name: half["judged"] for name, half in splits.items()} == {"training": 40, "test": 20}
    assert "quick networks to train: about" in result.stderr


@pytest.mark.usefixtures("_few_drawings")
def test_audit_of_training_pictures_by_a_model_that_learnt_from_them_is_refused(tmp_path):
    from hangtag.core.paths import bundle_names

    if "default" not in bundle_names():
        pytest.skip("an installation without the default model")
    arguments = ["--data", "drawn", "--split", "training", "--labels", "default", "--out", str(tmp_path / "a")]
    result = run("audit", *arguments)
    assert result.exception.code == "usage_split"
    assert "out-of-fold" in str(result.exception)
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_audit_by_an_unknown_model_is_one_line(wares, tmp_path):
    done = hangtag("data", "audit", "--data", str(wares), "--labels", "no-such", "--out", str(tmp_path / "a"), "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["error"]["code"] == "bundle_not_found"


def test_audit_without_its_extra_says_so_before_anything_is_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    result = run("audit", "--data", "/nowhere", "--labels", "out-of-fold")
    assert result.exception.code == "extra_missing"
    assert "hangtag[report]" in str(result.exception)


def test_audit_by_a_model_reads_the_pictures_as_that_model_takes_them(wares, tmp_path):
    (wares / "hat" / "broken.png").unlink()
    small = tmp_path / "model"
    small.mkdir()
    (small / cards.ONNX).write_bytes(tiny_model(size=12, colour=True, num_classes=2).SerializeToString())
    cards.write(cards.Card(name="small", class_names=("coat", "hat"), size=12, colour=True), small)
    out = ("--out", str(tmp_path / "a"), "--json")
    result = run("audit", "--data", str(wares), "--labels", str(small), *out)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["splits"]["test"]["judged"] == 2
    refused = run("audit", "--data", str(wares), "--labels", str(small), "--size", "28", *out)
    assert refused.exception.code == "image_shape"


def test_show_says_how_a_folder_was_read_and_json_has_it_as_data(wares, tmp_path):
    (wares / "labels.csv").touch()
    shown = run("show", "--data", str(wares), "--out", str(tmp_path / "a.png"))
    assert "wares: 2 classes (coat 10, hat 1" in shown.stderr
    assert "labels.csv: not called as JPEG, PNG, WebP or AVIF are" in shown.stderr
    record = json.loads(run("show", "--data", str(wares), "--out", str(tmp_path / "a.png"), "--json").stdout)
    assert list(record["reading"]["counts"]) == ["coat", "hat"]
    assert any("labels.csv" in entry for entry in record["reading"]["left_out"])


def test_a_validation_folder_is_fetched_verified_and_shown_apart(tmp_path):
    for split, count in (("train", 4), ("dev", 2), ("test", 3)):
        for label in ("coat", "hat"):
            (tmp_path / split / label).mkdir(parents=True)
            for i in range(count):
                Image.new("L", (28, 28), 20 * i).save(tmp_path / split / label / f"{i}.png")
    for verb in ("fetch", "verify"):
        record = json.loads(run(verb, "--data", str(tmp_path), "--json").stdout)
        assert [record[split]["n"] for split in ("training", "validation", "test")] == [8, 4, 6]
    out = ("--out", str(tmp_path / "sheet.png"), "--json")
    assert json.loads(run("show", "--data", str(tmp_path), "--split", "validation", *out).stdout)["n"] == 4


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("order", [("--data", "DATA", "--follow-links"), ("--follow-links", "--data", "DATA")])
def test_links_are_followed_on_request_wherever_the_option_stands(wares, tmp_path, order):
    (tmp_path / "linked").mkdir()
    for label in ("coat", "hat"):
        (tmp_path / "linked" / label).symlink_to(wares / label)
    data = str(tmp_path / "linked")
    refused = run("verify", "--data", data, "--json")
    assert "--follow-links" in refused.stdout + str(refused.exception)
    found = json.loads(run("verify", *(data if word == "DATA" else word for word in order), "--json").stdout)
    assert found["reading"]["counts"] == {"coat": 10, "hat": 10}


def test_a_contact_sheet_replaces_only_one_of_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 60)
    assert run("show", "--data", "drawn").exit_code == 0
    assert run("show", "--data", "drawn").exit_code == 0
    (tmp_path / "data.png").write_bytes(b"mine")
    assert "was not made by Hangtag" in str(run("show", "--data", "drawn").exception)
    assert (tmp_path / "data.png").read_bytes() == b"mine"
