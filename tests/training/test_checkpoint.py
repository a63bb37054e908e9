"""Checkpoints are whole or absent whatever the disk or the power does. Rows B2..B6."""

import errno
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hangtag.core.errors import HangtagError
from hangtag.training import checkpoint
from hangtag.training.checkpoint import Checkpoint, read_newest, write

FILES = ("state.safetensors", "state.json", "manifest.json")


def at(step: int) -> Checkpoint:
    tensors = {"model.w": torch.full((3, 4), float(step)), "best.w": torch.arange(5), "model.n": torch.tensor(step)}
    return Checkpoint(step, tensors, {"books": {"loss_sum": step / 3, "best_loss": None}})


def same(one: Checkpoint | None, other: Checkpoint) -> bool:
    return (
        one is not None
        and (one.step, one.numbers) == (other.step, other.numbers)
        and one.tensors.keys() == other.tensors.keys()
        and all(torch.equal(one.tensors[name], other.tensors[name]) for name in other.tensors)
    )


@pytest.fixture
def folder(tmp_path):
    """Holds steps 1 and 2."""
    write(tmp_path / "c", at(1))
    write(tmp_path / "c", at(2))
    return tmp_path / "c"


def silent(message: str) -> None:
    raise AssertionError(message)


def test_gives_back_every_bit(folder):
    assert same(read_newest(folder, silent), at(2))


def test_an_empty_or_missing_folder_holds_none(tmp_path):
    assert read_newest(tmp_path, silent) is None
    assert read_newest(tmp_path / "none", silent) is None


def test_keeps_the_newest_two(folder):
    write(folder, at(10))
    assert sorted(path.name for path in folder.iterdir()) == ["step-000000002", "step-000000010"]


def test_a_run_that_went_back_keeps_what_it_writes(folder):
    """Damaged checkpoints of later steps lie in the folder still: they are not the newest two."""
    write(folder, at(90))
    write(folder, at(100))
    for step in (90, 100):
        (folder / f"step-{step:09d}" / "state.json").write_bytes(b"")
    assert read_newest(folder, lambda message: None) is None
    write(folder, at(5))
    assert same(read_newest(folder, silent), at(5))
    write(folder, at(7))
    assert sorted(path.name for path in folder.iterdir()) == ["step-000000005", "step-000000007"]


def test_order_is_by_step_also_beyond_nine_digits_of_others(folder):
    (folder / "step-notes1").mkdir()  # somebody's own
    write(folder, at(999_999_999))
    assert read_newest(folder, silent).step == 999_999_999
    assert (folder / "step-notes1").exists()


def test_leftovers_of_killed_writers_are_swept_and_never_taken_for_checkpoints(folder):
    """In a container the next process often has the dead one's number."""
    for pid in (os.getpid(), 999_999_999):
        shutil.copytree(folder / "step-000000002", folder / f"step-000000003.tmp.{pid}.0123abc1")
    assert same(read_newest(folder, silent), at(2))
    assert sorted(path.name for path in folder.iterdir()) == ["step-000000001", "step-000000002"]


def test_leftovers_do_not_count_among_the_kept(folder):
    shutil.copytree(folder / "step-000000002", folder / f"step-000000003.tmp.{os.getpid()}.0123abc1")
    write(folder, at(4))
    assert same(read_newest(folder, silent), at(4))
    assert (folder / "step-000000002").exists()


def test_every_flipped_bit_is_noticed(folder):
    rng = random.Random(0)
    for _ in range(300):
        path = folder / "step-000000002" / rng.choice(FILES)
        whole = path.read_bytes()
        flipped = bytearray(whole)
        place = rng.randrange(len(whole))
        flipped[place] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        said: list[str] = []
        assert same(read_newest(folder, said.append), at(1)), (path, place)
        assert said[0].startswith("checkpoint step-000000002 is damaged (")
        assert said[0].endswith("going back to step-000000001")
        path.write_bytes(whole)
    assert same(read_newest(folder, silent), at(2))


@pytest.mark.parametrize("name", FILES)
def test_truncated_or_missing_files_are_noticed(folder, name):
    path = folder / "step-000000002" / name
    whole = path.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert same(read_newest(folder, lambda message: None), at(1)), length
    path.write_bytes(whole + b" ")
    if name != "manifest.json":  # there a blank changes nothing
        assert same(read_newest(folder, lambda message: None), at(1))
    path.unlink()
    assert same(read_newest(folder, lambda message: None), at(1))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
@pytest.mark.parametrize("name", FILES)
def test_a_pipe_in_place_of_a_file_is_damage_and_is_not_waited_for(folder, name):
    path = folder / "step-000000002" / name
    path.unlink()
    os.mkfifo(path)
    heard: list[str] = []
    assert same(read_newest(folder, heard.append), at(1))
    assert "not a file but a pipe" in heard[0]


@pytest.mark.parametrize("text", ["[]", "3", "null", '"x"', "{}", "[" * 100_000, '{"state.json": {}}', "\udcff"])
def test_no_manifest_however_odd_ends_in_a_traceback(folder, text):
    (folder / "step-000000002" / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert same(read_newest(folder, lambda message: None), at(1))


def test_when_all_are_damaged_it_says_that_it_starts_again(folder):
    for path in folder.glob("*/state.json"):
        path.write_bytes(b"")
    said: list[str] = []
    assert read_newest(folder, said.append) is None
    assert said[1].endswith("there is none before it, starting again")


def rewritten(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of the newest checkpoint as an attacker would, digest and all."""
    path = folder / "step-000000002"
    manifest = json.loads((path / "manifest.json").read_text())
    manifest[name] = hashlib.sha256(content).hexdigest()
    (path / name).write_bytes(content)
    (path / "manifest.json").write_text(json.dumps(manifest))


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


unpickled: list[str] = []
watching = [False]
sys.addaudithook(
    lambda event, args: unpickled.append(str(args)) if event == "pickle.find_class" and watching[0] else None
)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_in_disguise_is_not_run(folder, tmp_path, protocol):
    rewritten(folder, "state.safetensors", pickle.dumps(Payload(tmp_path / "canary"), protocol))
    watching[0] = True
    try:
        assert same(read_newest(folder, lambda message: None), at(1))
    finally:
        watching[0] = False
    assert not unpickled
    assert not (tmp_path / "canary").exists()


def test_a_file_of_torch_in_disguise_is_not_run(folder, tmp_path):
    torch.save({"model.w": Payload(tmp_path / "canary")}, tmp_path / "saved")
    rewritten(folder, "state.safetensors", (tmp_path / "saved").read_bytes())
    assert same(read_newest(folder, lambda message: None), at(1))
    assert not (tmp_path / "canary").exists()


def test_another_format_is_refused_by_name_of_the_field(folder):
    numbers = json.loads((folder / "step-000000002/state.json").read_text())
    rewritten(folder, "state.json", json.dumps({**numbers, "format": 1}).encode())
    with pytest.raises(HangtagError, match="format 1, this Hangtag reads format 2") as caught:
        read_newest(folder, silent)
    assert caught.value.code == "checkpoint_incompatible"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize(
    ("owner", "name"), [(os, "fsync"), (Path, "write_bytes"), (Path, "rename"), (Path, "mkdir"), (Path, "write_text")]
)
def test_a_failing_disk_is_loud_and_what_was_saved_stays(folder, monkeypatch, owner, name, number):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises(HangtagError, match=r"checkpoint not saved: .* \(earlier checkpoints are kept") as caught:
            write(folder, at(3))
    assert caught.value.code == "checkpoint_failed"
    assert "\n" not in caught.value.message
    assert sorted(path.name for path in folder.iterdir()) == ["step-000000001", "step-000000002"]
    assert same(read_newest(folder, silent), at(2))
    write(folder, at(3))
    assert same(read_newest(folder, silent), at(3))


def test_a_run_whose_disk_fails_stops_and_goes_on_later(trainer, digest_of, monkeypatch):
    def fill(*arguments):
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch, pytest.raises(HangtagError) as caught:
        trainer.fit(watch=trainer.at(8, lambda: patch.setattr(Path, "write_bytes", fill)))
    assert caught.value.code == "checkpoint_failed"
    resumed = trainer.fit()
    assert resumed.resumed_from_step == 5
    assert digest_of(resumed) == digest_of(trainer.fit(out="unbroken"))


def test_a_damaged_checkpoint_costs_time_and_no_bits(trainer, digest_of):
    trainer.stopped_at(12)
    path = trainer.folder / "run/checkpoints/step-000000012/state.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    resumed = trainer.fit()
    assert resumed.resumed_from_step == 10
    assert "step-000000012 is damaged" in trainer.messages[0]
    assert digest_of(resumed) == digest_of(trainer.fit(out="unbroken"))


SYSTEM_CALLS = {"mkdir", "open", "write", "fsync", "rename", "replace", "close", "rmdir", "unlink", "scandir", "flush"}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_call_to_the_system_leaves_the_old_or_the_new(tmp_path):
    """A fork per call: the child dies right before its n-th one."""
    for n in range(500):
        folder = tmp_path / str(n)
        write(folder, at(1))
        write(folder, at(2))
        pid = os.fork()
        if pid == 0:
            calls = iter(range(n + 1))

            def die(frame, event, function, calls=calls):
                if event == "c_call" and function.__name__ in SYSTEM_CALLS and next(calls, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)

            next(calls)
            sys.setprofile(die)
            write(folder, at(3))
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        left = read_newest(folder, silent)
        assert same(left, at(2)) or same(left, at(3)), n
        assert not list(folder.glob("*.tmp.*"))
        write(folder, at(4))
        assert same(read_newest(folder, silent), at(4))
        if code == 0:
            assert same(left, at(3))
            break
        shutil.rmtree(folder)
    assert n > 15  # it did die inside


STRACE = r"""
import os, signal, subprocess, sys, time
from pathlib import Path
import torch
from hangtag.training.checkpoint import Checkpoint, read_newest, write

root, killed, n = Path(sys.argv[1]), 0, 0
at = lambda step: Checkpoint(step, {"w": torch.full((3,), float(step))}, {"x": step})
calls = ["mkdir", "openat", "write", "fsync", "rename", "rmdir", "unlink", "unlinkat", "close", "getdents64"]
while calls:  # the n-th of each kind
    n += 1
    folder = root / f"{calls[0]}{n}"
    write(folder, at(1)); write(folder, at(2))
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        write(folder, at(3))
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    what = ["-e", f"trace={calls[0]}", "-e", f"inject={calls[0]}:signal=KILL:when={n}"]
    tracer = subprocess.Popen(["strace", "-p", str(child), "-o", os.devnull, *what], stderr=subprocess.PIPE, text=True)
    tracer.stderr.readline()  # "attached"
    os.kill(child, signal.SIGCONT)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    tracer.wait(); tracer.stderr.close()
    said = []
    left = read_newest(folder, said.append)
    assert not said and left.step in (2, 3) and float(left.tensors["w"][0]) == left.step, (calls[0], n, said)
    if code == 0:
        assert left.step == 3
        del calls[0]
        n = 0
    else:
        assert code == -9
        killed += 1
print(killed)
"""


def _ptrace() -> bool:
    strace = shutil.which("strace")
    return bool(strace) and subprocess.run([strace, "-o", os.devnull, "true"], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not _ptrace(), reason="needs strace and leave to trace")
def test_killed_inside_any_system_call_leaves_the_old_or_the_new(tmp_path):
    done = subprocess.run([sys.executable, "-c", STRACE, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


def test_optimisers_come_back_with_all_they_remember():
    weights = [torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.ones(3))]

    def moved(steps: int) -> torch.optim.Optimizer:
        optimiser = torch.optim.Adam(weights)
        for _ in range(steps):
            for weight in weights:
                weight.grad = torch.full_like(weight, 0.5)
            optimiser.step()
        return optimiser

    tensors, numbers = checkpoint.flatten_optimiser(moved(3))
    other = moved(1)
    checkpoint.restore_optimiser(other, tensors, json.loads(json.dumps(numbers)))
    assert checkpoint.flatten_optimiser(other)[0].keys() == tensors.keys()
    for name, value in checkpoint.flatten_optimiser(other)[0].items():
        assert torch.equal(value, tensors[name])
