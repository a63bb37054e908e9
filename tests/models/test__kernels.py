"""The compiled loops: made once, for this machine, from a place nobody else writes to, or not at all."""

import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch

from hangtag.models import _kernels


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A cache without kernels, and a process that has not looked for them."""
    monkeypatch.setenv("HANGTAG_CACHE", str(tmp_path / "cache"))
    _kernels._loaded.cache_clear()
    yield tmp_path / "cache" / "kernels"
    _kernels._loaded.cache_clear()


def compiles():
    return _kernels.load() is not None


@pytest.fixture(scope="module")
def compiled():
    """The library in this machine's own cache."""
    if not compiles():
        pytest.skip(_kernels.why_not())
    return _kernels._compiled(_kernels.openmp_runtime())


@pytest.fixture
def library(compiled, fresh):
    """The same in a cache of its own."""
    fresh.mkdir(parents=True, mode=0o700)
    return Path(shutil.copy2(compiled, fresh))


def test_says_why_there_are_none_or_has_them():
    assert (_kernels.load() is None) == bool(_kernels.why_not())


@pytest.mark.slow
def test_compiles_once(compiled, fresh, monkeypatch):
    assert compiles()
    (library,) = fresh.iterdir()
    _kernels._loaded.cache_clear()
    monkeypatch.setattr(_kernels.shutil, "which", lambda name: None)  # no compiler from here on
    assert compiles()
    assert list(fresh.iterdir()) == [library]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is compiled elsewhere")
def test_without_a_compiler_pytorch_is_used_and_the_reason_told(fresh, monkeypatch):
    monkeypatch.setattr(_kernels.shutil, "which", lambda name: None)
    assert not compiles()
    assert "compiler" in _kernels.why_not() or "libgomp" in _kernels.why_not()


def test_a_compiler_that_fails_is_told_in_one_line_and_leaves_nothing(fresh, compiled, monkeypatch):
    def fails(words, **options):
        raise subprocess.CalledProcessError(1, words, stderr="kernels.c:3: error:\n  no such thing\n")

    monkeypatch.setattr(_kernels.subprocess, "run", fails)
    assert not compiles()
    assert _kernels.why_not() == "kernels.c:3: error: no such thing"
    assert not list(fresh.iterdir())


@pytest.mark.parametrize("what", ["half of it", "somebody else's", "open to others"])
def test_a_library_that_is_not_ours_or_not_whole_is_not_run_but_compiled_anew(what, library, fresh, monkeypatch):
    whole = library.read_bytes()
    library.write_bytes({"half of it": whole[:1000], "somebody else's": b"x", "open to others": whole}[what])
    library.chmod(0o666 if what == "open to others" else 0o600)
    asked = []

    def compiler(words, **options):  # `test_compiles_once` has the real one
        asked.append(words)
        if "-o" in words:
            Path(words[-1]).write_bytes(whole)

    monkeypatch.setattr(_kernels.subprocess, "run", compiler)
    assert compiles()
    assert len(asked) == 2
    (anew,) = fresh.iterdir()
    assert anew.read_bytes() == whole
    assert anew.stat().st_mode & 0o077 == 0


def test_nothing_is_run_from_a_folder_others_may_write_to(fresh, library):
    fresh.chmod(0o777)
    assert not compiles()
    assert "others may write" in _kernels.why_not()


def test_other_systems_use_pytorch(fresh, monkeypatch):
    monkeypatch.setattr(_kernels, "sys", types.SimpleNamespace(platform="darwin"))
    assert not compiles()
    assert "Linux" in _kernels.why_not()


@pytest.mark.slow
def test_shares_the_threads_of_pytorch(compiled):
    program = (
        "import sklearn.ensemble, torch; from hangtag.models import _kernels; assert _kernels.load() is not None;"
        "print(_kernels.openmp_runtime(), torch.__file__, sep=chr(10))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # scikit-learn has its own
    runtime, torch_file = map(Path, ran.stdout.splitlines())
    assert runtime.is_relative_to(torch_file.parents[1])
    assert runtime.parts[len(torch_file.parents[1].parts)] in ("torch", "torch.libs")


def test_knows_two_kinds_of_number_on_the_processor():
    assert _kernels.supports(torch.zeros(1))
    assert _kernels.supports(torch.zeros(1, dtype=torch.bfloat16))
    assert not _kernels.supports(torch.zeros(1, dtype=torch.float64))
    assert not _kernels.supports(torch.zeros(1, device="meta"))
