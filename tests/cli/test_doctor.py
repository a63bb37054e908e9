import errno
import json
import os
import sys

import pytest

from hangtag import cli
from hangtag.core.optional import install_command


@pytest.fixture
def doctor(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HANGTAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HANGTAG_DATA", raising=False)

    def doctor(*words: str) -> str:
        assert cli._run(["doctor", *words]) == 0
        return capsys.readouterr().out

    return doctor


def found(text: str) -> dict[str, dict]:
    return {check["what"]: check for check in json.loads(text)["checks"]}


def test_names_versions_device_bf16_data_cache_and_weights(doctor):
    checks = found(doctor("--json"))
    assert list(checks) == [
        "hangtag",
        "recognise",
        "train",
        "classical",
        "report",
        "tune",
        "postgres",
        "serve",
        "openvino",
        "heic",
        "imagenet",
        "photos10",
        "device",
        "threads",
        "bf16",
        "kernels",
        "data",
        "cache",
        "weights",
    ]
    assert "numpy" in checks["recognise"]["found"]
    assert "hangtag data fetch" in checks["data"]["found"]


def test_a_missing_part_names_its_extra(doctor, monkeypatch):
    from hangtag.cli import doctor as module

    real = module._version
    monkeypatch.setattr(module, "_version", lambda package: None if package == "torch" else real(package))
    monkeypatch.setitem(sys.modules, "torch", None)
    checks = found(doctor("--json"))
    assert checks["train"]["found"] == "lacks torch: pip install 'hangtag[train]'"
    assert not checks["device"]["ok"]
    assert json.loads(doctor("--json"))["install"] == install_command("EXTRA")
    assert install_command("EXTRA") in doctor()  # the tests run in a checkout
    assert json.loads(doctor("--json"))["ok"]  # recognising goes on


def test_a_place_without_data_is_said_not_raised(doctor, tmp_path):
    assert not found(doctor("--json", "--data", str(tmp_path / "none")))["data"]["ok"]


def test_a_place_that_cannot_be_looked_at_is_said_not_raised(doctor, monkeypatch):
    long = "x" * 300
    monkeypatch.setenv("HANGTAG_CACHE", f"/{long}/cache")
    checks = found(doctor("--json", "--data", long))
    assert not checks["data"]["ok"]
    assert long in checks["data"]["found"]


def test_a_cache_that_cannot_be_written_gets_a_cross_and_the_reason(doctor, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    places = {tmp_path / "file": "is a file", tmp_path / "file" / "x": "is a file", tmp_path / "link": "a broken link"}
    for place, reason in places.items():
        monkeypatch.setenv("HANGTAG_CACHE", str(place))
        check = found(doctor("--json"))["cache"]
        assert not check["ok"]
        assert str(place) in check["found"]
        assert reason in check["found"]
        assert "set HANGTAG_CACHE" in check["found"]
        row = next(line for line in doctor().splitlines() if "cache " in line)
        assert row.startswith("✗")
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_what_the_system_says_to_a_file_in_the_cache_is_passed_on(doctor, monkeypatch, number):
    from hangtag.cli import doctor as module

    def refuse(*given, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module.tempfile, "TemporaryFile", refuse)
    check = found(doctor("--json"))["cache"]
    assert (check["ok"], os.strerror(number) in check["found"]) == (False, True)


def test_no_home_is_said_not_raised(doctor, monkeypatch):
    from hangtag.core import paths

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(paths, "cache_folder", homeless)
    monkeypatch.setattr("hangtag.data.places.cache_folder", lambda: paths.Path("x"))
    monkeypatch.setattr(paths, "weights_folders", lambda: [])
    assert "set HANGTAG_CACHE to a folder" in found(doctor("--json"))["cache"]["found"]


def test_asking_makes_no_cache(doctor, tmp_path, monkeypatch):
    from hangtag.cli import doctor as module

    monkeypatch.setattr(module, "_device", list)  # kernels are compiled into it
    doctor()
    assert not (tmp_path / "cache").exists()


def test_counts_what_the_cache_holds(doctor, tmp_path):
    (tmp_path / "cache/data").mkdir(parents=True)
    (tmp_path / "cache/data/x").write_bytes(bytes(2_500_000))
    assert found(doctor("--json"))["cache"]["found"].endswith("2.5 MB")


def test_the_table_marks_what_works(doctor):
    assert "✓" in doctor()
