"""Several machines at one study: two processes share a real PostgreSQL."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed (apt-get install postgresql)"),
]
PASSWORD = "s3cret%!/"


@pytest.fixture(scope="module")
def database():
    """URL of an empty database of its own, on a free port; the server refuses to run as root, so it steps down."""
    assert PROGRAMS is not None
    home = Path(tempfile.mkdtemp(prefix="hangtag-postgres-"))  # pytest's own folders are closed to other users
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(home, user)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]

    def call(program, *words):
        command = [str(PROGRAMS.with_name(program)), *words]
        subprocess.run(command, user=user, cwd=home, check=True, capture_output=True, text=True, timeout=60)

    (home / "password").write_text(PASSWORD)
    (home / "password").chmod(0o644)
    call(
        "initdb", "--pgdata", str(home / "data"), "--username", "tuner", "--pwfile", str(home / "password"),
        "--auth", "scram-sha-256", "--no-sync", "--encoding", "UTF8",
    )  # fmt: skip
    options = f"-h 127.0.0.1 -p {port} -k {home} -F"
    call("pg_ctl", "start", "--wait", "--pgdata", str(home / "data"), "-l", str(home / "log"), "-o", options)
    try:
        yield f"postgresql://tuner:s3cret%25%21%2F@127.0.0.1:{port}/postgres"
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            call("pg_ctl", "stop", "--pgdata", str(home / "data"), "-m", "immediate")
        shutil.rmtree(home, ignore_errors=True)


def start(database, garments, out, *words):
    command = [
        sys.executable, "-m", "hangtag", "tune", "lenet5", "--data", garments, "--storage", database, "--out", str(out),
        "--space", "optimiser.lr=1e-4..1e-1", "--epochs", "3", "--set", "batch_size=16", "--json", *words,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_share_a_study_and_no_trial_is_done_twice(database, garments, tmp_path):
    words = ("--study", "shared", "--trials", "10", "--no-prune")
    both = [start(database, garments, tmp_path / name, *words) for name in ("one", "two")]
    answers = []
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    for answer in answers:
        assert [trial["number"] for trial in answer["trials"]] == list(range(10))
        assert {trial["state"] for trial in answer["trials"]} == {"complete"}
        assert PASSWORD not in json.dumps(answer)
        assert "***" in answer["storage"]
    assert answers[0]["trials"] == answers[1]["trials"]
    rates = [trial["params"]["optimiser.lr"] for trial in answers[0]["trials"]]
    assert len(set(rates)) == 10  # no two machines drew the same settings
    tokens = [json.loads((tmp_path / name / "study.json").read_text())["token"] for name in ("one", "two")]
    assert set(tokens) == set(done_by(database, "shared"))


def test_two_machines_try_each_combination_of_a_finite_space_once(database, garments, tmp_path):
    words = ("--study", "finite", "--trials", "50", "--no-prune", "--jobs", "2")
    space = ("--epochs", "1", "--space", "optimiser.lr=1e-3,1e-2", "--space", "model.dropout=0,0.1,0.2")
    both = [start(database, garments, tmp_path / f"finite-{i}", *words, *space) for i in range(2)]
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        answer = json.loads(out)
        tried = [trial["params"] for trial in answer["trials"]]
        assert len(tried) == 7  # the recipe's own rate is none of them
        assert all(tried.count(params) == 1 for params in tried)
        assert answer["combinations"] == 7
        assert answer["all_tried"]


def done_by(database, name):
    import optuna

    from hangtag.study import storage

    study = optuna.load_study(study_name=name, storage=storage.connect(database))
    return [trial.user_attrs["by"] for trial in study.trials]


def test_a_study_of_one_name_and_another_space_is_refused(database, garments, tmp_path):
    for space, status in (("model.dropout=0.1,0.2", 0), ("model.dropout=0.1,0.3", 6)):
        process = start(
            database, garments, tmp_path / str(status), "--study", "named", "--trials", "1", "--space", space
        )
        out, err = process.communicate(timeout=300)
        assert process.returncode == status, err
    error = json.loads(out)["error"]
    assert error["code"] == "run_other_settings"
    assert "space.model.dropout: '0.1,0.2' there, '0.1,0.3' asked" in error["message"]


def test_a_wrong_password_is_one_line_that_does_not_tell_it(database, garments, tmp_path):
    process = start(database.replace("s3cret", "guessed"), garments, tmp_path / "x")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 7
    assert json.loads(out)["error"]["code"] == "storage_unreachable"
    assert "guessed" not in out + err
    assert err.count("\n") == 1
