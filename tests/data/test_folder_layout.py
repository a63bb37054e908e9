"""Which folders are splits and which are classes: by usual names in any case, and by what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.data.folder_layout import read_layout, split_name


def images(root: Path, *folders: str) -> Path:
    """A file called as images are in each of `folders`; a folder whose name ends in / stays empty."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        if not folder.endswith("/"):
            (root / folder / "1.png").touch()
    return root


def splits(root: Path) -> tuple[str, ...]:
    layout = read_layout(root)
    chosen = (layout.training, layout.validation, layout.test)
    return tuple("" if path is None else path.relative_to(root).as_posix() for path in chosen)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "training") for name in ("train", "TRAIN", "Training", "train_set", "Training Set", "train-images")),
        *((name, "validation") for name in ("val", "Valid", "validation", "dev", "VAL_SET", "validation_data")),
        *((name, "test") for name in ("Test", "testing", "test_set", "testset", "Test Images", "eval")),
        *((name, None) for name in ("trainers", "trains2", "tester", "develop", "value", "device", "trousers", "coat")),
    ],
)
def test_a_split_goes_by_its_usual_names_in_any_case(name, split):
    assert split_name(name) == split


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("TRAIN", "Validation", "eval"), ("Training Set", "dev", "Test Set")]
)
def test_folders_called_like_splits_are_splits_where_they_hold_classes(tmp_path, names):
    images(tmp_path, *(f"{name}/{label}" for name in names for label in ("coat", "dress")))
    assert splits(tmp_path) == names


def test_folders_called_like_splits_are_classes_where_they_hold_images(tmp_path):
    images(tmp_path, "train", "test", "car")
    assert splits(tmp_path) == (".", "", "")
    assert "test and train are classes here" in read_layout(tmp_path).notes[0]
    assert splits(images(tmp_path / "other", "test", "production")) == (".", "", "")


def test_a_class_called_train_beside_classes_with_the_same_years_is_a_class(tmp_path):
    images(tmp_path, *(f"{kind}/{year}" for kind in ("train", "car", "bus") for year in ("2024", "2025")))
    assert splits(tmp_path) == (".", "", "")


def test_sub_folders_of_a_class_are_no_classes(tmp_path):
    images(tmp_path, *(f"{kind}/{year}" for kind in ("dress", "coat") for year in ("2024", "2025")))
    assert splits(tmp_path) == (".", "", "")


def test_a_folder_that_holds_one_folder_of_folders_stands_for_it(tmp_path):
    images(tmp_path / "a", "archive/photos/coat", "archive/photos/dress", "__MACOSX/archive")
    assert splits(tmp_path / "a") == ("archive/photos", "", "")
    images(tmp_path / "b", "data/Train/coat", "data/Train/dress", "data/Test/coat", "data/Test/dress")
    assert splits(tmp_path / "b") == ("data/Train", "", "data/Test")
    images(tmp_path / "c", "coat")  # one class of images
    assert splits(tmp_path / "c") == (".", "", "")


def test_what_lies_beside_the_splits_is_named(tmp_path):
    images(tmp_path, "train/coat", "train/dress", "test", "training/coat", "extra/coat")
    for name in ("loose.png", "labels.csv", ".hidden", "Thumbs.db"):
        (tmp_path / name).touch()
    layout = read_layout(tmp_path)
    assert layout.training == tmp_path / "train"
    assert layout.test is None  # holds images, but no class folders
    assert [(entry.name, entry.kind) for entry in layout.left_out] == [
        ("extra", "folder"),
        ("labels.csv", "file"),
        ("loose.png", "loose"),
        ("test", "folder"),
        ("training", "folder"),
    ]


def test_a_test_and_a_validation_folder_without_one_to_train_on_are_refused(tmp_path):
    images(tmp_path, "val/coat", "val/dress", "test/coat", "test/dress")
    with pytest.raises(HangtagError, match="no folder to train on") as caught:
        read_layout(tmp_path)
    assert caught.value.code == "data_count"


@pytest.mark.parametrize(
    "names",
    [
        ("training_set/training_set", "", "test_set/test_set"),
        ("train/images", "valid/images", "test/images"),
        ("images_train", "images_val", "images_test"),
        ("split-train", "", "split-test"),
    ],
)
def test_splits_as_archives_often_hold_them_are_splits(tmp_path, names):
    images(tmp_path, *(f"{name}/{label}" for name in filter(None, names) for label in ("coat", "dress")))
    assert splits(tmp_path) == names


def test_the_one_class_of_a_split_is_no_wrapper(tmp_path):
    images(tmp_path, "train/coat/2024", "train/coat/2025", "test/coat/2024")
    assert splits(tmp_path) == ("train", "", "test")
