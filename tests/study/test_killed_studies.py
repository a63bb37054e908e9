"""`hangtag tune` killed, stopped, started again: no finished trial is lost or done twice."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="needs signals"),
]
TRIALS = 5


def start(garments, out, *words):
    command = [
        sys.executable, "-m", "hangtag", "tune", "lenet5", "--data", garments, "--out", str(out), "--epochs", "12",
        "--set", "batch_size=8", "--space", "optimiser.lr=1e-4..1e-1", "--trials", str(TRIALS), "--jobs", "2",
        "--no-prune", "--json", *words,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process, done, patience_s=200):
    until = time.monotonic() + patience_s
    while not done():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def finished(out):
    import sqlite3

    if not (out / "study.db").exists():
        return []
    try:
        with sqlite3.connect(f"file:{out / 'study.db'}?mode=ro", uri=True, timeout=5) as connection:
            rows = connection.execute(
                "SELECT number, datetime_complete FROM trials WHERE state = 'COMPLETE'"
            ).fetchall()
    except sqlite3.Error:  # its tables are being made
        return []
    return rows


def end(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, json.loads(out) if out else None, err


def test_killed_and_stopped_a_study_keeps_what_is_finished_and_ends_with_as_many_as_asked(garments, tmp_path):
    out = tmp_path / "a"
    first = start(garments, out)
    wait_for(first, lambda: len(finished(out)) >= 1)
    first.kill()
    first.communicate()
    before = finished(out)

    second = start(garments, out)
    wait_for(second, lambda: len(finished(out)) > len(before))
    second.send_signal(signal.SIGINT)
    status, answer, err = end(second)
    assert status == 130
    assert answer["error"]["code"] == "interrupted"
    assert "the same command goes on" in answer["error"]["message"]
    assert "Traceback" not in err

    status, answer, err = end(start(garments, out))
    assert status == 0, err
    assert [trial["number"] for trial in answer["trials"]] == list(range(TRIALS))
    assert {trial["state"] for trial in answer["trials"]} == {"complete"}
    assert set(before) <= set(finished(out))  # what was finished was not done again
    assert not list(out.rglob("*.tmp.*"))
    with (out / "trials.csv").open() as file:
        assert len(list(csv.reader(file))) == 1 + TRIALS

    status, again, err = end(start(garments, out))
    assert (status, again) == (0, answer)
    assert "5 trials are there already" in err

    status, _, err = end(start(garments, out, "--set", "batch_size=16"))
    assert status == 6
    assert "recipe.batch_size: 8 there, 16 asked" in err
    assert err.count("\n") == 1


def test_the_recipe_that_comes_out_is_trained_as_it_is(garments, tmp_path):
    status, answer, err = end(start(garments, tmp_path / "a", "--epochs", "1", "--trials", "2"))
    assert status == 0, err
    command = [sys.executable, "-m", "hangtag", "train", answer["recipe"], "--data", garments, "--json"]
    done = subprocess.run([*command, "--out", str(tmp_path / "b")], capture_output=True, text=True, check=True)
    run = json.loads(done.stdout)
    assert run["val_accuracy"] == answer["best"]["val_accuracy"]  # the very run of the best trial, once more
