"""Which files are pictures: nothing outside the folder, nothing twice, everything counted."""

import os

import pytest

from hangtag.predict.folder import find_pictures


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_finds_pictures_at_any_depth_in_order(tmp_path):
    touch(tmp_path, "b.JPG", "a.png", "deep/er/c.webp", "deep/d.jpeg", "notes.txt", "e.gif", "._a.png", ".git/f.png")
    found = find_pictures([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == [
        "a.png",
        "b.JPG",
        "deep/d.jpeg",
        "deep/er/c.webp",
    ]
    assert found.others == 3


def test_takes_a_file_that_is_named_at_its_word(tmp_path):
    touch(tmp_path, "upload.tmp")
    paths = [tmp_path / "upload.tmp", tmp_path / "missing.jpg"]
    assert find_pictures(paths).paths == paths


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right there")
def test_follows_no_link(tmp_path):
    touch(tmp_path, "outside/secret.png", "in/a.png")
    inner = tmp_path / "in"
    (inner / "dangling.png").symlink_to("nowhere.png")
    (inner / "itself.png").symlink_to("itself.png")
    (inner / "out.png").symlink_to(tmp_path / "outside" / "secret.png")
    (inner / "again.png").symlink_to("a.png")
    (inner / "loop").symlink_to(inner, target_is_directory=True)
    (inner / "elsewhere").symlink_to(tmp_path / "outside", target_is_directory=True)
    found = find_pictures([inner])
    assert found.paths == [inner / "a.png"]
    assert found.links == 6


@pytest.mark.skipif(os.name == "nt" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root may read all")
def test_names_a_folder_it_may_not_list(tmp_path):
    touch(tmp_path, "locked/a.png", "b.png")
    (tmp_path / "locked").chmod(0)
    try:
        found = find_pictures([tmp_path])
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert found.paths == [tmp_path / "b.png"]
    assert found.unreadable == [tmp_path / "locked"]
