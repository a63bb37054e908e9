"""A worker tells, fails, stops and dies; whoever asked hears of it in one line."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.study.process import ask

TASKS = """
import sys, types

def add(one, two, watch):
    watch.message("adding")
    watch.reading("pictures", 2, 2)
    print("a library talks")
    return {"sum": one + two, "peak": __import__("hangtag.core.hardware", fromlist=["x"]).peak_rss_mb()}

def fail(watch):
    from hangtag.core.errors import HangtagError
    raise HangtagError("training_not_finite", "the loss became nan")

def crash(watch):
    raise ZeroDivisionError("x")

def die(watch):
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)

def mumble(watch):
    import os, signal, stat
    for number in range(3, 20):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.write(number, b'{"result": 1')
        except OSError:
            pass
    os.kill(os.getpid(), signal.SIGKILL)

def talk(watch, saved):
    import pathlib, time
    try:
        while True:
            watch.message("step")
            time.sleep(0.01)
    except KeyboardInterrupt:
        watch.message("saving")
        pathlib.Path(saved).write_text("whole")
        raise

def last(watch):
    import time
    watch.message("begun")
    try:
        time.sleep(6000)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped after step 3 and saved")

module = types.ModuleType("hangtag.study.tasks")
for task in (add, fail, crash, die, mumble, talk, last):
    setattr(module, task.__name__, task)
sys.modules["hangtag.study.tasks"] = module
"""


@pytest.fixture(autouse=True)
def tasks(tmp_path, monkeypatch):
    """Every worker finds the tasks above, as if they were a module of `hangtag.study`."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(TASKS)
    paths = [str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return tmp_path / "log.txt"


def test_arguments_go_in_and_what_is_told_and_returned_comes_out(tasks):
    heard: list = []
    assert ask("tasks:add", {"one": 1, "two": 2}, tasks, heard.append)["sum"] == 3
    assert heard == [{"message": "adding"}, {"what": "pictures", "done": 2, "total": 2}]
    assert "a library talks" in tasks.read_text()


@pytest.mark.slow
def test_its_memory_is_its_own(tasks):
    held = bytearray(os.urandom(1) * 400_000_000)  # what getrusage would lay at the child's door
    assert ask("tasks:add", {"one": 1, "two": 2}, tasks)["peak"] < 200
    del held


@pytest.mark.parametrize(
    ("task", "code", "hint"),
    [("fail", "training_not_finite", "became nan"), ("crash", "internal_error", "ZeroDivisionError: x")],
)
def test_an_error_is_the_one_it_ended_with(tasks, task, code, hint):
    with pytest.raises(HangtagError, match=hint) as caught:
        ask(f"tasks:{task}", {}, tasks)
    assert caught.value.code == code


def test_a_process_that_is_killed_is_one_line_that_says_where_to_look(tasks):
    with pytest.raises(HangtagError, match=r"by force.*log\.txt") as caught:
        ask("tasks:die", {}, tasks)
    assert caught.value.code == "training_failed"


def test_half_a_line_of_a_process_that_is_killed_is_no_answer(tasks):
    with pytest.raises(HangtagError, match="without a word") as caught:
        ask("tasks:mumble", {}, tasks)
    assert caught.value.code == "training_failed"


@pytest.mark.slow  # not beside others: its signal is heard by the main thread, which a parallel run may use otherwise
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_ctrl_c_lets_it_save_and_says_what_it_said(tasks):
    def interrupt(told):
        if told == {"message": "begun"}:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="stopped after step 3 and saved"):
            ask("tasks:last", {}, tasks, interrupt)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_whoever_asks_may_be_killed_and_leaves_no_worker_behind(tasks):
    script = textwrap.dedent(f"""
        import os
        from pathlib import Path
        from hangtag.study import process
        real = process.subprocess.Popen
        def popen(*arguments, **options):
            child = real(*arguments, **options)
            print(child.pid, flush=True)
            return child
        process.subprocess.Popen = popen
        process.ask("tasks:last", {{}}, Path({str(tasks)!r}), lambda told: print("begun", flush=True))
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert parent.stdout.readline() == "begun\n"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while _alive(worker):
        time.sleep(0.02)


def test_what_runs_for_one_that_is_killed_saves_although_nobody_listens(tasks, tmp_path):
    saved = tmp_path / "saved"
    script = textwrap.dedent(f"""
        from pathlib import Path
        from hangtag.study.process import ask
        ask("tasks:talk", {{"saved": {str(saved)!r}}}, Path({str(tasks)!r}), lambda told: print("step", flush=True))
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.kill()
    while not saved.exists():
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
