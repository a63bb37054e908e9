import datetime
import shutil
import subprocess

import pytest

from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.export import bundle
from hangtag.predict.bundle import open_bundle

CARD = Card(name="x", class_names=("a", "b"), size=28, colour=False)
WEIGHTS = b"\x02\0\0\0\0\0\0\0{}"


def test_what_is_written_can_be_opened(tmp_path):
    bundle.write(CARD, tmp_path / "b", onnx=b"graph", weights=WEIGHTS)
    opened = open_bundle(tmp_path / "b")
    assert opened.files == {cards.ONNX: b"graph", cards.WEIGHTS: WEIGHTS}


def test_a_bundle_is_replaced_whole(tmp_path):
    bundle.write(CARD, tmp_path / "b", onnx=b"graph", weights=WEIGHTS)
    bundle.write(CARD, tmp_path / "b", onnx=b"other")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["card.json", "model.onnx"]


def test_when_the_card_cannot_be_written_the_old_bundle_stays(tmp_path, monkeypatch):
    bundle.write(CARD, tmp_path / "b", onnx=b"graph")

    def full(*arguments, **options):
        raise OSError(28, "full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(HangtagError) as caught:
        bundle.write(CARD, tmp_path / "b", onnx=b"other")
    assert caught.value.code == "storage_full"
    assert open_bundle(tmp_path / "b").files == {cards.ONNX: b"graph"}
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_says_which_versions_took_part():
    found = bundle.versions()
    assert {"python", "hangtag", "numpy", "onnxruntime"} <= set(found)


def test_the_time_is_utc():
    assert datetime.datetime.fromisoformat(bundle.now()).utcoffset() == datetime.timedelta(0)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_the_commit_is_this_checkouts_and_says_if_it_was_changed(tmp_path, monkeypatch):
    def git(*arguments):
        command = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    folder = tmp_path / "src/hangtag/export"
    folder.mkdir(parents=True)
    (folder / "bundle.py").write_text("one")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    monkeypatch.setattr(bundle, "__file__", str(folder / "bundle.py"))
    commit = git("rev-parse", "--short=12", "HEAD")
    assert bundle.commit() == commit
    (tmp_path / "notes.txt").write_text("not of the package")
    assert bundle.commit() == commit
    (tmp_path / "src/hangtag/other.py").write_text("two")
    assert bundle.commit() == f"{commit}+changes"


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "__file__", str(tmp_path / "bundle.py"))
    assert bundle.commit() is None
