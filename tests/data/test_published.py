"""Only the published bytes are accepted, at each opening; the cache mends itself, the user's folder is left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.data import fingerprints
from hangtag.data.published import open_cache, open_folder


def quiet(*_: object) -> None:
    pass


def listing(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.iterdir())}


def refusal(opener) -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        opener()
    assert "\n" not in caught.value.message
    return caught.value


def test_opens_each_half_from_its_own_files(small, tmp_path):
    folder = small.write(tmp_path / "x")
    dataset = open_folder(small.published, folder)
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    training = dataset.training()  # the test pictures are not even looked for
    assert len(training) == 40
    assert training.counts() == dict.fromkeys("abcdefghij", 4)
    assert refusal(dataset.test).code == "data_not_found"


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 0.5, -1])
def test_says_cut_off_and_leaves_the_users_folder_alone(small, tmp_path, cut):
    content = small.content[small.pictures.name]
    cut_content = content[: int(len(content) * cut) if isinstance(cut, float) else cut]
    folder = small.write(tmp_path / "x", train_images=cut_content)
    before = listing(folder)
    error = refusal(open_folder(small.published, folder).training)
    assert error.code == "data_truncated"
    assert small.pictures.name in error.message
    assert listing(folder) == before


@pytest.mark.parametrize("position", [0, 1, 5, 9, 100, -5, -1])
def test_refuses_a_single_changed_byte(small, tmp_path, position):
    content = bytearray(small.content[small.pictures.name])
    content[position] ^= 1
    error = refusal(open_folder(small.published, small.write(tmp_path / "x", train_images=bytes(content))).training)
    assert error.code == ("data_not_gzip" if position in (0, 1) else "data_hash")


def test_refuses_the_same_pictures_packed_anew(small, tmp_path):  # well-formed, yet not what was published
    import gzip

    content = gzip.compress(gzip.decompress(small.content[small.pictures.name]), 1)
    assert (
        refusal(open_folder(small.published, small.write(tmp_path / "x", train_images=content)).training).code
        == "data_hash"
    )


def known_by_content(small):
    """The same set, its unpacked content known too."""
    import gzip
    import hashlib

    def known(file):
        return replace(file, content_sha256=hashlib.sha256(gzip.decompress(small.content[file.name])).hexdigest())

    halves = {half: tuple(map(known, getattr(small.published, half))) for half in ("training", "test")}
    return replace(small.published, **halves)


@pytest.mark.parametrize("how", ["unpacked", "dotted", "packed anew", "packed without compression"])
def test_reads_the_published_content_however_it_is_packed(small, tmp_path, how):
    import gzip

    for name, content in small.content.items():
        plain = gzip.decompress(content)
        if how == "unpacked":
            (tmp_path / name.removesuffix(".gz")).write_bytes(plain)
        elif how == "dotted":
            (tmp_path / name.removesuffix(".gz").replace("-idx", ".idx")).write_bytes(plain)
        else:
            (tmp_path / name).write_bytes(gzip.compress(plain, 1 if how == "packed anew" else 0))
    dataset = open_folder(known_by_content(small), tmp_path)
    assert (len(dataset.training()), len(dataset.test())) == (40, 20)
    assert all(path.is_file() and read().size for path, read in dataset.files.items())


@pytest.mark.parametrize(("change", "code"), [("flip", "data_hash"), ("cut", "data_truncated"), ("more", "data_count")])
def test_refuses_unpacked_content_that_is_not_the_published(small, tmp_path, change, code):
    import gzip

    for name, content in small.content.items():
        (tmp_path / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    path = tmp_path / small.pictures.name.removesuffix(".gz")
    plain = bytearray(path.read_bytes())
    plain[500] ^= 1
    path.write_bytes({"flip": plain, "cut": plain[:-9], "more": plain + b"x"}[change])
    error = refusal(open_folder(known_by_content(small), tmp_path).training)
    assert error.code == code
    assert path.name in error.message


def test_refuses_labels_in_another_order(small, digits, tmp_path):
    import gzip

    from hangtag.data import idx

    labels = gzip.compress(idx.encode(np.arange(40, dtype=np.uint8)[::-1] % 10))
    folder = small.write(tmp_path / "x", train_labels=labels)
    assert refusal(open_folder(small.published, folder).training).code == "data_hash"


def test_refuses_digits_under_its_name_and_says_whose_they_are(small, digits, tmp_path, monkeypatch):
    monkeypatch.setitem(fingerprints.OWNER_OF_MD5, digits.pictures.md5, "mnist")
    folder = digits.write(tmp_path / "x")
    error = refusal(open_folder(small.published, folder).training)
    assert error.code == "data_hash"
    assert f"--data mnist={folder}" in error.message


def test_refuses_unequal_classes_even_with_the_right_hashes(digits, tmp_path):
    import gzip
    import hashlib

    from hangtag.data import idx

    for labels, code in ((np.zeros(40), "data_count"), (np.arange(40) % 11, "data_label")):
        content = gzip.compress(idx.encode(labels.astype(np.uint8)))
        pictures, file = digits.published.training
        hashes = hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest()
        file = replace(file, bytes=len(content), sha256=hashes[0], md5=hashes[1])
        folder = digits.write(tmp_path / code, train_labels=content)
        assert refusal(open_folder(replace(digits.published, training=(pictures, file)), folder).training).code == code


def test_checks_each_time_a_file_is_opened(small, tmp_path):
    folder = small.write(tmp_path / "x")
    dataset = open_folder(small.published, folder)
    dataset.training()
    (folder / small.pictures.name).write_bytes(b"")
    assert refusal(dataset.training).code == "data_truncated"


def test_fetches_only_what_is_opened(small, mirrors, cache):
    published = replace(small.published, mirrors=(mirrors.start("good"),))
    dataset = open_cache(published, cache / "x", quiet)
    assert not cache.exists()
    assert len(dataset.test()) == 20
    assert sorted(path.name for path in cache.rglob("*.gz")) == [file.name for file in small.published.test]
    assert len(mirrors.servers[0].asked) == 2
    dataset.test()
    assert len(mirrors.servers[0].asked) == 2


def test_sets_a_bad_cached_file_aside_and_fetches_it_again(small, mirrors, cache):
    folder = small.write(cache / "x", train_images=b"\x1f\x8bnonsense")
    published = replace(small.published, mirrors=(mirrors.start("good"),))
    assert len(open_cache(published, folder, quiet).training()) == 40
    assert (folder / f"{small.pictures.name}.bad").read_bytes() == b"\x1f\x8bnonsense"
    assert (folder / small.pictures.name).read_bytes() == small.content[small.pictures.name]


def test_offline_says_what_was_tried_and_puts_nothing_in_place(small, cache, monkeypatch):
    monkeypatch.setattr(time, "sleep", quiet)
    published = replace(small.published, mirrors=("http://127.0.0.1:1/",))
    error = refusal(open_cache(published, cache / "x", quiet).training)
    assert error.code == "data_offline"
    for part in ("http://127.0.0.1:1/", "--data", "HANGTAG_DATA", str(cache / "x")):
        assert part in error.message
    assert not list(cache.rglob("*.gz"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom a folder can be closed to")
def test_reads_a_full_cache_that_may_not_be_written(small, cache):
    folder = small.write(cache / "x")
    folder.chmod(0o500)
    assert len(open_cache(small.published, folder, quiet).training()) == 40


OPEN = """
import sys
from dataclasses import replace
from pathlib import Path
from hangtag.core.errors import HangtagError
from hangtag.data.published import Published, PublishedFile, open_cache
published = eval(sys.argv[1])
try:
    print(open_cache(published, Path(sys.argv[2]), lambda *_: None).training().digest())
except HangtagError as error:
    sys.exit(f"{error.code}: {error.message}")
"""


def opening(published, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPEN, repr(published), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_eight_processes_at_once_fetch_one_valid_set(small, mirrors, cache):
    published = replace(small.published, mirrors=(mirrors.start("missing"), mirrors.start("good")))
    processes = [opening(published, cache / "x") for _ in range(8)]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, said
    assert {out for out, _ in said} == {open_folder(small.published, cache / "x").training().digest() + "\n"}
    assert len(mirrors.servers[1].asked) == 2  # each file once: the others waited
    assert not list(cache.rglob("*.tmp.*"))


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_killed_download_leaves_nothing_that_the_next_run_does_not_mend(small, mirrors, cache):
    published = replace(small.published, mirrors=(mirrors.start("dribbles_body"),))
    process = opening(published, cache / "x")
    while not mirrors.servers[0].asked:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    dead = cache / "x" / f"{small.pictures.name}.tmp.{process.pid}.0123abcd"
    dead.write_bytes(b"half")  # as a kill between open and rename leaves it
    assert not list(cache.rglob("*.gz"))
    published = replace(small.published, mirrors=(mirrors.start("good"),))
    assert len(open_cache(published, cache / "x", quiet).training()) == 40
    assert not dead.exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_eight_processes_and_random_kills_never_leave_a_bad_file(small, mirrors, cache):
    # HANGTAG_ROUNDS=50 for the long run; each round starts from an empty folder
    published = replace(small.published, mirrors=(mirrors.start("altered"), mirrors.start("good")))
    good = open_folder(small.published, small.write(cache / "good")).training().digest()
    for number in range(int(os.environ.get("HANGTAG_ROUNDS", "5"))):
        folder = cache / f"round{number}"
        processes = [opening(published, folder) for _ in range(8)]
        time.sleep(random.uniform(0.05, 0.6))
        for process in random.sample(processes, 4):
            process.kill()
        said = [process.communicate() for process in processes]
        for process, (out, err) in zip(processes, said, strict=True):
            assert process.returncode in (0, -signal.SIGKILL), err
            assert process.returncode != 0 or out.strip() == good
        for path in folder.glob("*.gz"):
            assert path.read_bytes() == small.content[path.name]
        assert open_cache(published, folder, quiet).training().digest() == good
        assert not list(folder.glob("*.bad"))
