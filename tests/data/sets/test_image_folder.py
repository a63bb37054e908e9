"""Folders of one's own pictures: what a class is, what is left out and named; no link leads outside (E8)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hangtag.core.errors import HangtagError
from hangtag.data import find
from hangtag.data.sets.image_folder import image_folder
from hangtag.data.split import joined, training_and_validation
from hangtag.preprocess import decoder

links = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")


def fill(folder: Path, count: int, start: int = 0) -> Path:
    """Grey 28x28 pictures, which pass unchanged: each holds its number at the corner."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        Image.fromarray(np.full((28, 28), i % 256, dtype=np.uint8)).save(folder / f"{i:03}.png")
    return folder


def opened(root: Path, size: int = 28, colour: bool = False):
    return image_folder(root, size, colour, lambda *_: None)


def refusal(root: Path, half: str = "training") -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        getattr(opened(root), half)()
    assert "\n" not in caught.value.message
    return caught.value


def test_a_folder_is_a_class_and_a_tenth_is_kept_for_the_test(tmp_path):
    fill(tmp_path / "b hats", 30, start=100)
    fill(tmp_path / "a coats", 20)
    training, test = opened(tmp_path).training(), opened(tmp_path).test()
    assert training.class_names == ("a coats", "b hats")
    assert training.counts() == {"a coats": 18, "b hats": 27}
    assert test.counts() == {"a coats": 2, "b hats": 3}
    assert not set(training.sources) & set(test.sources)
    assert opened(tmp_path).test().sources == test.sources
    assert all(image[0, 0] == int(Path(source).stem) for image, source in zip(test.images, test.sources, strict=True))


@pytest.mark.parametrize("name", ["test", "validation", "val"])
def test_a_test_folder_is_the_test(tmp_path, name):
    for part, count in (("train", 5), (name, 2)):
        for label in ("coat", "hat"):
            fill(tmp_path / part / label, count)
    dataset = opened(tmp_path)
    assert (len(dataset.training()), len(dataset.test())) == (10, 4)
    assert dataset.name == tmp_path.name


def split_folders(root: Path, *names: str, count: int = 3) -> Path:
    for start, name in enumerate(names):
        for i, label in enumerate(("coat", "hat")):
            fill(root / name / label, count, start=50 * start + 20 * i)
    return root


@pytest.mark.parametrize("names", [("train", "val", "test"), ("TRAIN", "Validation", "Test Set"), ("training", "dev")])
def test_a_validation_folder_is_the_validation_split(tmp_path, names):
    dataset = opened(split_folders(tmp_path, *names))
    training, validation = training_and_validation(dataset)
    assert (training.images.max(), validation.images.min(), validation.images.max()) == (22, 50, 72)
    assert len(joined(training, validation)) == 12
    line = str(dataset.summary())
    assert f"6 training ({names[0]}/) + 6 validation ({names[1]}/)" in line
    assert ("no test folder: the validation images serve as the test too" in line) == (len(names) == 2)


def test_the_line_shows_classes_counts_splits_and_what_was_left_out(tmp_path):
    fill(tmp_path / "coat", 30)
    fill(tmp_path / "_other", 30)
    fill(tmp_path / "__MACOSX" / "coat", 1)
    fill(tmp_path / ".ipynb_checkpoints", 1)
    for name in ("labels.csv", "Thumbs.db", "stray.png", "coat/.DS_Store", "coat/empty.png", "coat/notes.txt"):
        (tmp_path / name).touch()
    dataset = opened(tmp_path)
    dataset.training(), dataset.test()
    assert str(dataset.summary()) == (
        f"{tmp_path.name}: 2 classes (_other 30, coat 30); 50 training + 4 validation (cut out of training) + 6 test "
        "(a tenth, set apart) images; left out: 1 image that cannot be read (coat/empty.png), 1 image outside the "
        "class folders (stray.png), 2 folders (.ipynb_checkpoints, __MACOSX), 2 files that are no images (labels.csv, "
        "coat/notes.txt)"
    )
    record = dataset.summary().to_dict()
    assert record["counts"] == {"_other": 30, "coat": 30}
    assert len(record["left_out"]) == 6
    assert json.loads(json.dumps(record)) == record


def test_the_line_stays_one_line_however_long_the_names_and_many_the_classes(tmp_path):
    for i in range(30):
        fill(tmp_path / f"{'x' * 150}\n{i}", 2)
    line = str(opened(tmp_path).summary())
    assert "\n" not in line
    assert "and 25 more" in line
    assert len(line) < 500


def test_test_classes_match_in_any_case_and_what_is_missing_is_named(tmp_path):
    for label in ("train/Coat", "train/Hat", "train/Shoe", "test/coat", "test/HAT"):
        fill(tmp_path / label, 2)
    dataset = opened(tmp_path)
    assert dataset.test().counts() == {"Coat": 2, "Hat": 2, "Shoe": 0}
    assert "test/ has no image of Shoe" in str(dataset.summary())


def test_classes_that_differ_in_case_alone_are_named(tmp_path):
    for label in ("Shirt", "shirt", "coat"):
        fill(tmp_path / label, 4)
    if len(list(tmp_path.iterdir())) == 3:  # not where the file system takes them for one
        assert "Shirt and shirt are different classes" in str(opened(tmp_path).summary())


@links
def test_links_out_of_the_folder_are_followed_on_request_and_nothing_is_counted_twice(tmp_path):
    root, store = tmp_path / "root", tmp_path / "store"
    fill(store / "coats" / "deep", 4)
    fill(store / "hats", 4, start=10)
    root.mkdir()
    (root / "coat").symlink_to(store / "coats")
    (root / "hat").symlink_to(store / "hats")
    (store / "hats" / "round").symlink_to(root)
    (store / "hats" / "again").symlink_to(store / "hats")
    (store / "hats" / "coats").symlink_to(store / "coats")
    with pytest.raises(HangtagError, match="2 left out as links out of the folder: follow them with --follow-links"):
        opened(root)
    for dataset in (find(root, follow_links=True), find(f"linked-folder={root}")):
        whole = joined(dataset.training(), dataset.test())
        assert whole.counts() == {"coat": 4, "hat": 4}
        left_out = sorted(entry.name for entry in dataset.summary().left_out)
        assert left_out == ["hat/again", "hat/coats", "hat/round"]
    fill(root / "glove", 4)
    fill(root / "shoe", 4)
    assert "2 links (coat, hat), --follow-links follows them" in str(opened(root).summary())


def test_what_differs_in_a_folder_tells_in_its_digest_of_files(tmp_path):
    fill(tmp_path / "coat", 4)
    fill(tmp_path / "hat", 4)
    before = opened(tmp_path).files_digest()
    assert opened(tmp_path).files_digest() == before
    fill(tmp_path / "hat", 1, start=9)
    assert opened(tmp_path).files_digest() != before


def test_a_test_class_nobody_learns_is_refused(tmp_path):
    for label in ("train/coat", "train/hat", "test/coat", "test/hut"):
        fill(tmp_path / label, 2)
    assert refusal(tmp_path, "test").code == "data_label"


def test_reads_every_spelling_and_depth_ignores_hidden_files_and_names_hidden_folders(tmp_path):
    for label in ("coat", "hat"):
        fill(tmp_path / label / "2024" / "spring", 2)
        Image.new("RGB", (30, 40), "white").save(tmp_path / label / "A.JPG", "JPEG")
        (tmp_path / label / "._A.JPG").write_bytes(b"a Mac's note")
    (tmp_path / ".git").mkdir()
    (tmp_path / "coat" / ".thumbnails").mkdir()
    dataset = opened(tmp_path)
    assert len(dataset.training()) + len(dataset.test()) == 6
    assert [Path(line.partition(": ")[0]).name for line in dataset.training().skipped] == [".git", ".thumbnails"]


def test_names_what_cannot_be_read_and_reads_the_rest(tmp_path):
    fill(tmp_path / "coat", 10)
    fill(tmp_path / "hat", 10)
    content = (tmp_path / "hat" / "003.png").read_bytes()
    (tmp_path / "hat" / "003.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "hat" / "x.jpg").write_bytes(b"")
    (tmp_path / "hat" / "note.txt").write_text("hello")
    (tmp_path / "test").mkdir()
    fill(tmp_path / "test" / "hat", 1)
    os.rename(tmp_path / "coat", tmp_path / "coat2")  # noqa: PTH104
    (tmp_path / "train").mkdir()
    for label in ("coat2", "hat"):
        (tmp_path / label).rename(tmp_path / "train" / label)
    training = opened(tmp_path).training()
    assert training.counts() == {"coat2": 10, "hat": 9}
    assert sorted(Path(entry.partition(": ")[0]).name for entry in training.skipped) == ["003.png", "note.txt", "x.jpg"]


def test_a_class_left_with_nothing_is_an_error(tmp_path):
    fill(tmp_path / "train" / "coat", 3)
    (tmp_path / "train" / "hat").mkdir()
    fill(tmp_path / "test" / "coat", 1)
    assert refusal(tmp_path).code == "data_count"
    assert "'hat'" in refusal(tmp_path).message
    (tmp_path / "train" / "hat" / "a.png").write_bytes(b"broken")
    assert "a.png" in refusal(tmp_path).message


def test_one_class_or_none_is_an_error(tmp_path):
    assert refusal(tmp_path).code == "data_count"
    fill(tmp_path / "coat", 3)
    assert refusal(tmp_path).code == "data_count"
    assert refusal(tmp_path / "absent").code == "data_not_found"
    assert refusal(tmp_path / "coat" / "000.png").code == "data_not_found"


def test_more_classes_than_anybody_sells_are_an_error(tmp_path):
    for i in range(1_001):
        (tmp_path / str(i)).mkdir()
    assert refusal(tmp_path).code == "data_count"


@links
def test_links_are_followed_inside_the_folder_only(tmp_path):
    outside = fill(tmp_path / "outside", 2, start=200)
    root = tmp_path / "root"
    for label in ("coat", "hat"):
        fill(root / "train" / label, 4)
        fill(root / "test" / label, 1)
    hat = root / "train" / "hat"
    (hat / "inside.png").symlink_to(root / "train" / "coat" / "000.png")
    (hat / "outside.png").symlink_to(outside / "200.png")
    (hat / "nothing.png").symlink_to(hat / "absent.png")
    (hat / "itself.png").symlink_to(hat / "itself.png")
    (hat / "round").symlink_to(hat)
    (hat / "up").symlink_to(root / "train")
    (hat / "away").symlink_to(outside)
    (root / "train" / "gloves").symlink_to(outside)
    training = opened(root).training()
    assert training.class_names == ("coat", "hat")
    assert training.counts() == {"coat": 4, "hat": 5}
    assert training.images.max() < 200
    left_out = sorted(Path(entry.partition(": ")[0]).name for entry in training.skipped)
    assert left_out == ["away", "gloves", "itself.png", "nothing.png", "outside.png", "round", "up"]


@links
def test_a_class_may_be_a_link_to_another_place_inside_the_folder(tmp_path):
    fill(tmp_path / "coat", 4)
    fill(tmp_path / ".store" / "hats", 5)
    (tmp_path / "hat").symlink_to(tmp_path / ".store" / "hats")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "absent")
    error = refusal(tmp_path)
    assert error.code == "data_count"
    assert "'loop'" in error.message
    (tmp_path / "loop").unlink()
    dataset = opened(tmp_path)
    assert dataset.class_names == ("coat", "hat")
    assert len(dataset.training()) + len(dataset.test()) == 9
    skipped = [entry.partition(": ")[2] for entry in dataset.training().skipped]
    assert skipped == ["a hidden folder", "a link to nothing"]


@links
@pytest.mark.parametrize("half", ["train", "test"])
def test_halves_that_are_links_out_of_the_folder_are_refused(tmp_path, half):
    for part in ("train", "test"):
        for label in ("coat", "hat"):
            fill(tmp_path / ("root" if part != half else "elsewhere") / part / label, 3)
    (tmp_path / "root" / half).symlink_to(tmp_path / "elsewhere" / half)
    with pytest.raises(HangtagError, match=f"{half} is a link out of") as caught:
        opened(tmp_path / "root")
    assert caught.value.code == "data_unreadable"


@links
def test_bytes_of_a_name_that_are_no_unicode_show_as_escapes(tmp_path):
    for label in (b"caf\xe9", b"hat"):
        fill(tmp_path / os.fsdecode(label), 3)
    (tmp_path / "hat" / os.fsdecode(b"\xff.txt")).touch()
    dataset = opened(tmp_path)
    assert dataset.class_names == ("caf\\udce9", "hat")
    assert dataset.training().counts() == {"caf\\udce9": 2, "hat": 2}
    json.dumps(dataset.training().skipped, ensure_ascii=False).encode()


def test_a_size_below_one_is_refused(tmp_path):
    for size in (0, -1):
        with pytest.raises(HangtagError, match="size should be 1 or more"):
            opened(tmp_path, size)


def test_pictures_come_in_the_size_and_colour_asked_for(tmp_path):
    for label in ("coat", "hat"):
        fill(tmp_path / label, 3)
    assert opened(tmp_path, 32, True).training().images.shape[1:] == (32, 32, 3)


def test_says_how_far_it_is(tmp_path):
    for label in ("coat", "hat"):
        fill(tmp_path / label, 5)
    told: list[tuple[str, int, int]] = []
    image_folder(tmp_path, 28, False, lambda *args: told.append(args)).training()
    assert told[-1][1:] == (8, 8)  # of ten, one of each class is kept for the test


def test_without_a_folder_it_says_what_to_write():
    with pytest.raises(HangtagError, match="say --data PATH"):
        image_folder(None, 28, False, lambda *_: None)


def test_a_picture_that_ends_its_decoder_is_named_and_the_rest_is_read(tmp_path, monkeypatch):
    fill(tmp_path / "coat", 4)
    fill(tmp_path / "hat", 4)
    Image.fromarray(np.full((28, 28), 99, np.uint8)).save(tmp_path / "hat" / "deadly.png")
    deadly = (tmp_path / "hat" / "deadly.png").read_bytes()
    real = decoder.Decoder.convert

    def convert(self, content, size, colour):
        if content == deadly:
            raise HangtagError("image_decoder_failed", "the picture's decoder crashed")
        return real(self, content, size, colour)

    monkeypatch.setattr(decoder.Decoder, "convert", convert)
    found = opened(tmp_path)
    training, test = found.training(), found.test()
    (skipped,) = (*training.skipped, *test.skipped)
    assert Path(skipped.partition(": ")[0]).name == "deadly.png"
    assert len(training) + len(test) == 8


def test_sources_are_written_alike_on_every_system(tmp_path):
    fill(tmp_path / "coat" / "deep", 2)
    fill(tmp_path / "hat", 2)
    found = opened(tmp_path)
    assert any(source.startswith("coat/deep/") for half in (found.training(), found.test()) for source in half.sources)
