"""The list of photos that may be trained on, and how they come."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from hangtag.core.errors import HangtagError
from hangtag.data import clothing
from hangtag.data.clothing import OTHER


def quiet(what: str, done: int, total: int) -> None: ...


def test_the_list_names_label_sender_and_digest_of_each_photo_once():
    photos = clothing.listed()
    assert len({photo.path for photo in photos}) == len(photos) > 3_900
    assert all(
        len(photo.sha256) == 64 and photo.url.startswith("https://raw.githubusercontent.com/") for photo in photos
    )
    assert {photo.label for photo in photos} == {*range(OTHER + 1)} - {8}  # no bags


def test_a_folder_that_was_named_is_where_the_photos_are(tmp_path):
    (tmp_path / "clothing-small").mkdir()
    assert clothing.located(tmp_path, quiet) == tmp_path


def test_a_folder_without_them_is_one_clear_line(tmp_path):
    with pytest.raises(HangtagError, match="clothing-small") as caught:
        clothing.located(tmp_path, quiet)
    assert caught.value.code == "data_not_found"


def test_a_photo_is_fetched_into_the_cache_only_if_it_is_what_was_published(cache, mirrors, monkeypatch):
    (name, content), *_ = mirrors.content.items()
    photo = replace(clothing.listed()[0], path="clothing-small/train/x/" + name, source=f"a/b@c:images/{name}")
    monkeypatch.setenv("HANGTAG_MIRRORS", mirrors.start("good"))
    for digest, fetched in ((hashlib.sha256(content).hexdigest(), True), ("0" * 64, False)):
        listed = (replace(photo, sha256=digest),)
        monkeypatch.setattr(clothing, "listed", lambda listed=listed: listed)
        target = cache / "data" / "clothing" / photo.path
        if fetched:
            assert clothing.located(None, quiet) == cache / "data" / "clothing"
            assert target.read_bytes() == content
            target.unlink()
        else:
            with pytest.raises(HangtagError, match="SHA-256 differs"):
                clothing.located(None, quiet)
            assert not target.exists()
