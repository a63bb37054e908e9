"""Real processes that train: what they say at the end, and that none outlives who started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hangtag import recipes
from hangtag.core.recipe import override
from hangtag.study.trainers import Trainers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def recipe(*settings):
    small = ("epochs=2", "batch_size=64", "model.filters=2,4", "precision=fp32", *settings)
    return override(recipes.create("lenet5"), small)


@pytest.fixture(scope="module")
def trainers(tmp_path_factory):
    trainers = Trainers(1, tmp_path_factory.mktemp("trainers") / "log")
    yield trainers
    trainers.close()


def said(trainers, number, act=lambda told: None, patience_s=120):
    """All it says of a run until that is over; `act` hears each."""
    until, heard = time.monotonic() + patience_s, []
    while time.monotonic() < until:
        for which, told in trainers.heard(0.1):
            assert which == number
            heard.append(told)
            act(told)
            if told.keys() & {"done", "failed", "stopped", "died"}:
                return heard
    raise AssertionError(heard)


def test_one_process_trains_one_run_after_another(trainers, garments, tmp_path):
    for number in (0, 1):
        assert trainers.free == 1
        trainers.start(number, recipe(), data=garments, out=tmp_path / str(number), device="cpu")
        assert (trainers.free, trainers.busy) == (0, [number])
        heard = said(trainers, number)
        assert [told["epoch"] for told in heard if "epoch" in told] == [1, 2]
        assert heard[-1]["done"]["val_accuracy"] == [told for told in heard if "epoch" in told][-1]["val_accuracy"]
        assert (tmp_path / str(number) / "bundle" / "card.json").exists()


def test_a_run_that_fails_is_a_line_and_the_process_lives(trainers, garments, tmp_path):
    trainers.start(
        2,
        recipe("optimiser.lr=1e30", "optimiser=sgd", "optimiser.lr=1e30"),
        data=garments,
        out=tmp_path / "a",
        device="cpu",
    )
    assert "try a smaller --set optimiser.lr" in said(trainers, 2)[-1]["failed"]
    trainers.start(3, recipe("model.dropout=7"), data=garments, out=tmp_path / "b", device="cpu")
    assert "dropout" in said(trainers, 3)[-1]["failed"]
    assert trainers.free == 1


@pytest.mark.parametrize("how", ["prune", "save"])
def test_a_run_can_be_ended_and_what_is_saved_goes_on(trainers, garments, tmp_path, how):
    def act(told):
        if told.get("epoch") == 1:
            trainers.stop(4, how)

    trainers.start(4, recipe("epochs=400"), data=garments, out=tmp_path / "a", device="cpu")
    assert said(trainers, 4, act)[-1] == {"stopped": how}
    assert not list(tmp_path.rglob("*.tmp.*"))
    assert list((tmp_path / "a" / "checkpoints").glob("step-*"))


def test_a_killed_process_is_heard_of_and_another_takes_its_place(trainers, garments, tmp_path):
    def act(told):
        if told.get("epoch") == 1:
            (process,) = trainers._at
            process._process.send_signal(signal.SIGKILL)

    trainers.start(5, recipe("epochs=400"), data=garments, out=tmp_path / "a", device="cpu")
    assert said(trainers, 5, act)[-1] == {"died": -9}
    assert trainers.free == 1
    trainers.start(6, recipe(), data=garments, out=tmp_path / "b", device="cpu")
    assert "done" in said(trainers, 6)[-1]


@pytest.mark.skipif(os.name == "nt", reason="looks for a process by its number")
def test_none_outlives_the_process_that_started_it(garments, tmp_path):
    code = f"""
import time
from pathlib import Path
from hangtag import recipes
from hangtag.study.trainers import Trainers
trainers = Trainers(1, Path({str(tmp_path / "log")!r}))
trainers.start(0, recipes.create("lenet5"), data={garments!r}, out=Path({str(tmp_path / "a")!r}), device="cpu")
(process,) = trainers._at
print(process._process.pid, flush=True)
time.sleep(60)
"""
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    trainer = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    until = time.monotonic() + 60
    while Path(f"/proc/{trainer}").exists() if Path("/proc").exists() else alive(trainer):
        assert time.monotonic() < until
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_stopped_before_it_begins_is_stopped_and_no_death(garments, tmp_path):
    fresh = Trainers(1, tmp_path / "log")
    try:
        fresh.start(7, recipe("epochs=400"), data=garments, out=tmp_path / "a", device="cpu")
        fresh.stop(7, "save")
        assert said(fresh, 7)[-1] == {"stopped": "save"}
    finally:
        fresh.close()
