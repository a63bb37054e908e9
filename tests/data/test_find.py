"""Where `find` looks, in which order, and that what the user named never gives way to something else."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hangtag import data
from hangtag.core.errors import HangtagError
from hangtag.data.sets import fashion_mnist, mnist


@pytest.fixture(autouse=True)
def small_fashion_mnist(small, cache, monkeypatch):
    """In these tests Fashion-MNIST is the small set, and no mirror has it."""
    published = replace(small.published, class_names=fashion_mnist.CLASS_NAMES, mirrors=("http://127.0.0.1:1/",))
    monkeypatch.setattr(fashion_mnist, "FASHION_MNIST", published)


def refusal(*args, **options) -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        data.find(*args, **options)
    assert "\n" not in caught.value.message
    return caught.value


def class_folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(np.full((40, 30), 60 * i, dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


@pytest.mark.parametrize("folder", ["fashion-mnist", "fashion_mnist", "."])
def test_takes_a_root_or_the_folder_itself(small, tmp_path, folder):
    small.write(tmp_path / "x" / folder)
    dataset = data.find(str(tmp_path / "x"))
    assert (dataset.name, len(dataset.training()), len(dataset.test())) == ("fashion-mnist", 40, 20)


def test_takes_a_path_as_its_string(small, tmp_path):
    small.write(tmp_path)
    assert data.find(tmp_path).training().digest() == data.find(str(tmp_path)).training().digest()
    assert refusal(7).code == "usage_value"


def test_takes_hangtag_data_before_the_cache(small, tmp_path, cache, monkeypatch):
    small.write(cache / "data" / "fashion-mnist", train_images=b"bad")
    monkeypatch.setenv("HANGTAG_DATA", str(small.write(tmp_path / "x")))
    assert len(data.find().training()) == 40


def test_takes_the_cache_where_nothing_is_named(small, cache):
    small.write(cache / "data" / "fashion-mnist")
    assert len(data.find().training()) == 40
    assert len(data.find("fashion_mnist").training()) == 40


def test_a_bad_folder_of_the_user_never_gives_way_to_the_cache(small, tmp_path, cache, monkeypatch):
    small.write(cache / "data" / "fashion-mnist")
    bad = small.write(tmp_path / "x", train_images=b"\x1f\x8bbad")
    monkeypatch.setenv("HANGTAG_DATA", str(bad))
    for spec in (None, str(bad), f"fashion-mnist={bad}"):
        with pytest.raises(HangtagError):
            data.find(spec).training()
    for wrong in (tmp_path / "absent", tmp_path):
        monkeypatch.setenv("HANGTAG_DATA", str(wrong))
        assert refusal().code == "data_not_found"
        assert "HANGTAG_DATA" in refusal().message


def test_the_test_pictures_are_another_object(small, tmp_path):
    dataset = data.find(str(small.write(tmp_path / "x")))
    assert not np.shares_memory(dataset.training().images, dataset.test().images)


def test_finds_a_set_by_name_or_name_and_path(digits, tmp_path):
    folder = digits.write(tmp_path / "digits")
    for spec in (f"mnist={folder}", f"mnist={tmp_path / 'digits'}"):
        assert data.find(spec).class_names == mnist.CLASS_NAMES
    assert data.find(f"kmnist={folder}").class_names[0] == "o"
    assert data.find("drawn").name == "drawn"


def test_digits_in_a_plain_path_are_refused(digits, tmp_path):
    folder = digits.write(tmp_path / "digits")
    with pytest.raises(HangtagError, match="--data mnist=PATH") as caught:
        data.find(str(folder)).training()
    assert caught.value.code == "data_hash"


def test_takes_a_folder_of_class_folders(tmp_path):
    dataset = data.find(str(class_folders(tmp_path / "wares", "hat", "coat")))
    assert (dataset.name, dataset.class_names) == ("wares", ("coat", "hat"))


def test_finds_a_folder_of_ones_own_again_by_its_name(tmp_path, monkeypatch):  # evaluating what was trained on it
    class_folders(tmp_path / "wares", "hat", "coat")
    assert data.find(str(tmp_path), name="wares").name == "wares"
    assert "--data" in refusal(name="wares").message
    monkeypatch.setenv("HANGTAG_DATA", str(tmp_path))
    assert data.find(name="wares").name == "wares"


def test_suggests_the_nearest_name():
    assert "'fashion-mnist'" in refusal("fashion-mnits").message
    assert refusal("fashion-mnits").code == "data_not_found"
    assert refusal("mnits=/tmp").code == "usage_unknown_data_set"


def test_refuses_sizes_and_colour_the_published_pictures_do_not_have(small, tmp_path):
    folder = str(small.write(tmp_path / "x"))
    assert refusal(folder, size=32).code == "usage_value"
    assert refusal(folder, colour=True).code == "usage_value"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("a" * 300, "data_unreadable"),
        ("a" * 300 + "/b", "data_unreadable"),
        ("mnist=" + "a" * 300, "data_unreadable"),
        ("~nobody-of-this-name/pictures", "data_not_found"),
        ("drawn=~nobody-of-this-name", "data_not_found"),
    ],
)
def test_places_that_cannot_be_are_refused_in_one_line(spec, code):
    assert refusal(spec).code == code


def test_a_home_of_nobody_in_hangtag_data_is_refused_in_one_line(monkeypatch):
    monkeypatch.setenv("HANGTAG_DATA", "~nobody-of-this-name")
    with pytest.raises(HangtagError, match="no user") as caught:
        data.find().training()
    assert caught.value.code == "data_not_found"


def test_a_folder_that_may_not_be_listed_is_named(tmp_path, monkeypatch):
    class_folders(tmp_path / "wares", "hat", "coat")
    listed = Path.iterdir

    def locked(name: str):
        def iterdir(folder: Path):
            if folder.name == name:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
            return listed(folder)

        return iterdir

    monkeypatch.setattr(Path, "iterdir", locked("wares"))
    assert refusal(str(tmp_path / "wares")).code == "data_unreadable"
    monkeypatch.setattr(Path, "iterdir", locked("hat"))
    with pytest.raises(HangtagError, match="hat cannot be read: Permission denied") as caught:
        data.find(str(tmp_path / "wares")).training()
    assert caught.value.code == "data_unreadable"


def test_every_set_is_described_in_one_line():
    for name in data.register.names():
        assert data.register.summary(name).endswith(".")


@pytest.mark.parametrize("spec", ["", "mnist=", "image-folder="])
@pytest.mark.parametrize("follow_links", [False, True])
def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch, spec, follow_links):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HangtagError, match=r"empty: name a folder"):
        data.find(spec, follow_links=follow_links)
