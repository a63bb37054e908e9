"""Runs that are killed, stopped, crowded out: nothing is lost and the weights come out the same. Rows B1, B7, B9, B10.

Each run is `hangtag train` in a process of its own, forked off one that has everything imported.
"""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.timeout(600),  # twenty runs, on a machine that may be busy
]

SCRIPT = r'''
import hashlib, json, os, signal, sys, time
from pathlib import Path

root = Path(sys.argv[1])
os.chdir(root)
os.fsync = lambda handle: None  # nobody cuts the power here
import onnxruntime, safetensors.torch, torch, torch.onnx
from hangtag import cli, experiment
from hangtag.data.sets import drawn
from hangtag.training import checkpoint, loop
from hangtag.training.schedules import one_cycle

drawn.TRAINING_PICTURES = 120  # 110 to train on: 7 steps an epoch, 21 in all
draw_them, garments = drawn.pictures, drawn.pictures(120, 1)
drawn.pictures = lambda *arguments: garments  # drawn once for all the runs
experiment.bundle.commit = lambda: None
COMMAND = ["train", "lenet5", "--data", "drawn", "--epochs", "3", "--set", "batch_size=16", "--json",
           "--set", "model.dropout=0.2", "--set", "model.filters=[2,4]", "--set", "checkpoint_s=1e-9"]


def start(name, out, meddle=lambda: None, *extra):
    """A process that runs the command; what it prints goes to files."""
    pid = os.fork()
    if pid:
        return pid
    for stream, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{name}.{stream}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    meddle()
    status = cli._run([*COMMAND, "--out", out, *extra])
    sys.stdout.flush()
    os._exit(status)


def run(name, out, meddle=lambda: None, *extra):
    began = time.perf_counter()
    code = os.waitstatus_to_exitcode(os.waitpid(start(name, out, meddle, *extra), 0)[1])
    text = Path(f"{name}.out").read_text()
    weights = Path(out, "bundle", "weights.safetensors")
    last = Path(out, "checkpoints", "step-000000021", "state.safetensors")
    return {
        "exit": code,
        "out": json.loads(text) if text else None,
        "err": Path(f"{name}.err").read_text(),
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest() if weights.exists() else None,
        "last": hashlib.sha256(last.read_bytes()).hexdigest() if last.exists() else None,  # optimiser and all
        "checkpoints": sorted(path.name for path in Path(out).glob("checkpoints/*")),
        "leftovers": [path.name for path in Path(out).rglob("*.tmp.*")],
        "seconds": time.perf_counter() - began,
    }


def before(owner, name, at, act):
    """Do `act` before call number `at` of owner.name."""
    def meddle():
        real, calls = getattr(owner, name), iter(range(10**9))
        def spied(*arguments, **options):
            if next(calls) == at:
                act()
            return real(*arguments, **options)
        setattr(owner, name, spied)
    return meddle


def send(number):
    return lambda: os.kill(os.getpid(), number)


both = lambda *meddlings: lambda: [meddle() for meddle in meddlings]
AT_EXPORT = before(torch.onnx, "export", 0, send(signal.SIGINT))  # an export takes seconds: some runs end there
KILL, INT, TERM = send(signal.SIGKILL), send(signal.SIGINT), send(signal.SIGTERM)
report = {"unbroken": run("unbroken", "unbroken")}
report["again"] = run("again", "unbroken")

# kill -9: within steps, while checkpoints are written and while old ones are deleted
report["kills"] = [
    run("kill", "killed", meddle)["exit"]
    for meddle in (
        before(loop._Run, "_step", 0, KILL),
        before(loop._Run, "_step", 5, KILL),
        before(checkpoint, "save", 3, KILL),
        before(os, "fsync", 8, KILL),
        before(checkpoint.shutil, "rmtree", 1, KILL),
        before(loop._Run, "_end_epoch", 0, KILL),
        before(experiment.bundle.cards, "write", 0, KILL),
    )
]
report["killed"] = run("killed", "killed")

for name, signals in {"int": INT, "term": TERM}.items():
    report[name] = run(name, name, before(loop._Run, "_step", 9, signals))
    report[name + "_resumed"] = run(name, name, AT_EXPORT)
report["twice"] = run("twice", "twice", both(before(loop._Run, "_step", 9, INT), before(checkpoint, "save", 9, INT)))
report["twice_resumed"] = run("twice", "twice", AT_EXPORT)
report["reading"] = run(
    "reading", "reading", both(lambda: setattr(drawn, "pictures", draw_them), before(drawn, "draw", 50, INT)))
report["exporting"] = run("exporting", "exporting", AT_EXPORT)

holder = start("holder", "held", before(loop._Run, "_step", 3, lambda: (Path("holding").touch(), time.sleep(60))))
while not Path("holding").exists():
    assert os.waitpid(holder, os.WNOHANG) == (0, 0), Path("holder.err").read_text()
    time.sleep(0.02)
report["busy"] = run("busy", "held")
os.kill(holder, signal.SIGKILL)
os.waitpid(holder, 0)
report["freed"] = run("freed", "held", AT_EXPORT)

report["other"] = run("other", "unbroken", lambda: None, "--seed", "5", "--set", "optimiser.lr=0.5")
report["nan"] = run("nan", "nan", lambda: None, "--set", "optimiser=sgd", "--set", "optimiser.lr=1e30")
report["typo"] = run("typo", "typo", lambda: None, "--set", "model.dropuot=0.5")
report["mended"] = run("mended", "typo", AT_EXPORT)
Path("report.json").write_text(json.dumps(report))
'''


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HANGTAG_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "report.json").read_text())


def test_an_unbroken_run_prints_its_result_as_json_alone(report):
    result = report["unbroken"]
    assert result["exit"] == 0
    assert result["out"]["bundle"] == "unbroken/bundle"
    assert result["out"]["resumed_from_step"] == 0
    assert result["checkpoints"] == ["step-000000020", "step-000000021"]


def test_a_finished_run_gives_its_result_again_at_once(report):
    assert report["again"]["out"] == report["unbroken"]["out"]
    assert "finished already" in report["again"]["err"]


def test_killed_again_and_again_a_run_ends_in_the_same_weights(report):
    assert report["kills"] == [-9] * 7
    assert report["killed"]["exit"] == 0
    assert report["killed"]["sha256"] == report["unbroken"]["sha256"]
    assert report["killed"]["out"]["resumed_from_step"] == 21
    assert report["killed"]["out"]["val_accuracy"] == report["unbroken"]["out"]["val_accuracy"]


def test_what_killed_processes_left_is_swept(report):
    assert report["killed"]["leftovers"] == []


@pytest.mark.parametrize("name", ["int", "term"])
def test_one_signal_saves_at_the_end_of_the_step_and_exits_130(report, name):
    stopped = report[name]
    assert stopped["exit"] == 130
    assert stopped["checkpoints"][-1] == "step-000000010"
    assert stopped["out"]["error"]["code"] == "interrupted"
    lines = [line for line in stopped["err"].splitlines() if "stopped" in line]
    assert lines == ["stopped after step 10 of 21 and saved: the same command goes on from there"]
    assert "Traceback" not in stopped["err"]
    assert report[name + "_resumed"]["last"] == report["unbroken"]["last"]


def test_two_signals_exit_now_and_what_is_saved_is_sound(report):
    assert report["twice"]["exit"] == 130
    assert report["twice"]["checkpoints"][-1] == "step-000000009"  # the tenth was being written
    assert report["twice"]["leftovers"] == []
    assert report["twice_resumed"]["last"] == report["unbroken"]["last"]


def test_a_signal_while_data_are_read_ends_in_one_line(report):
    assert report["reading"]["exit"] == 130
    assert report["reading"]["err"].strip() == "stopped"


def test_a_signal_while_exporting_loses_no_step(report):
    assert report["exporting"]["exit"] == 130
    assert "Traceback" not in report["exporting"]["err"]
    assert report["exporting"]["last"] == report["unbroken"]["last"]  # and `killed` went on from such a place


def test_a_folder_has_one_owner_and_is_free_once_that_is_dead(report):
    assert report["busy"]["exit"] == 6
    assert report["busy"]["out"]["error"]["code"] == "run_busy"
    assert report["freed"]["last"] == report["unbroken"]["last"]


def test_other_settings_are_refused_and_named(report):
    assert report["other"]["exit"] == 6
    error = report["other"]["out"]["error"]
    assert error["code"] == "run_other_settings"
    assert "recipe.optimiser.lr: 0.003 there, 0.5 asked; recipe.seed: 0 there, 5 asked" in error["message"]
    assert report["other"]["sha256"] == report["unbroken"]["sha256"]


def test_a_loss_that_runs_away_is_an_error_and_no_bundle(report):
    assert report["nan"]["exit"] == 8
    assert report["nan"]["out"]["error"]["code"] == "training_not_finite"
    assert report["nan"]["sha256"] is None


def test_a_mistyped_option_does_not_claim_the_folder(report):
    assert report["typo"]["exit"] == 2
    assert "Did you mean 'dropout'?" in report["typo"]["out"]["error"]["message"]
    assert report["mended"]["exit"] == 130  # it trained; only the export was stopped
