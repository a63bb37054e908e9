"""A folder of photos is looked at in colour and at a size that shows them; small grey images as they are."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from hangtag import data
from hangtag.audit import examine
from hangtag.audit import photos as module
from hangtag.audit.photos import Sketches, look_at, read, sketch
from hangtag.core.errors import HangtagError
from hangtag.core.types import PhotoFiles
from hangtag.data.sets import drawn


def silent(what, done, total):
    pass


def audit_of(folder):
    dataset = data.find(folder)
    halves = {name: files() for name, files in dataset.photos.items()}
    splits, photos = look_at(halves, silent)
    return examine(dataset.name, splits, None, silent, photos, {name: half.root for name, half in halves.items()})


def write(split, folder, indices, ending="png"):
    for i in indices:
        place = folder / split.class_names[split.labels[i]].replace("/", "-")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(split.images[i]).save(place / f"{i}.{ending}")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """100 drawn garments in colour; of test garment 80 a mirrored copy is in training, where four are odd."""
    folder = tmp_path_factory.mktemp("shop")
    garments = drawn.pictures(100, seed=7, size=120, colour=True)
    write(garments, folder / "train", range(80))
    write(garments, folder / "test", range(80, 100))
    coats = folder / "train" / "Coat"
    originals = [Image.fromarray(garments.images[i]) for i in (80, 4, 14, 24)]
    ImageOps.mirror(originals[0]).save(coats / "copy.jpg")
    Image.new("RGB", (120, 160), (200, 120, 120)).save(coats / "blank.png")
    originals[1].point(lambda value: value // 10).save(coats / "dark.png")
    originals[2].filter(ImageFilter.GaussianBlur(8)).save(coats / "blurred.png")
    originals[3].resize((20, 20)).save(coats / "tiny.png")
    return folder


@pytest.fixture(scope="module")
def audit(shop):
    return audit_of(shop)


def test_finds_exactly_what_was_planted(audit):
    rows = csv.DictReader(io.StringIO(audit.to_csv()))
    columns = ("split", "picture", "finding", "partner_split", "partner")
    assert {tuple(row[name] for name in columns) for row in rows} == {
        ("training", "Coat/copy.jpg", "near-duplicate: mirrored", "test", "T-shirt-top/80.png"),
        ("training", "Coat/blank.png", "odd: blank", "", ""),
        ("training", "Coat/blurred.png", "odd: blurred", "", ""),
        ("training", "Coat/dark.png", "odd: dark", "", ""),
        ("training", "Coat/tiny.png", "odd: tiny", "", ""),
    }


def test_every_image_knows_its_file(audit, shop):
    assert audit.file("test", 0) == shop / "test" / audit.place("test", 0)
    assert audit.file("test", 0).is_file()


def test_small_grey_images_in_folders_give_the_findings_of_the_same_images_in_memory(tmp_path):
    training, test = drawn.pictures(120, seed=0), drawn.pictures(30, seed=1)
    test.images[3] = training.images[8][:, ::-1]
    training.images[20] = 0
    write(training, tmp_path / "train", range(120))
    write(test, tmp_path / "test", range(30))
    halves = {name: files() for name, files in data.find(tmp_path).photos.items()}
    splits, photos = look_at(halves, silent)
    assert photos is None
    assert splits["training"].images.shape == (120, 28, 28)
    numbers = {name: [int(Path(source).stem) for source in split.sources] for name, split in splits.items()}
    for name, split in (("training", training), ("test", test)):
        np.testing.assert_array_equal(splits[name].images, split.images[numbers[name]])

    def pairs(audit, numbered):
        return {
            (numbered[first][pair.first], numbered[second][pair.second], pair.relation, round(pair.distance, 5))
            for (first, second), found in audit.near_duplicates.items()
            for pair in found
            if first != second
        }

    as_before = examine("memory", {"training": training, "test": test})
    in_order = {"training": range(120), "test": range(30)}
    assert pairs(examine("files", splits), numbers) == pairs(as_before, in_order) != set()


@pytest.mark.parametrize(("side", "colour"), [(28, True), (65, False)])
def test_small_images_in_colour_and_larger_grey_ones_are_photos(tmp_path, side, colour):
    write(drawn.pictures(20, seed=0, size=side, colour=colour), tmp_path, range(20))
    splits, photos = look_at({"training": data.find(tmp_path).photos["training"]()}, silent)
    assert isinstance(photos["training"], Sketches)
    assert splits["training"].images.shape[1:] == (1, 1)
    assert set(photos["training"].longest) == {side}


def test_what_cannot_be_read_is_named_and_all_else_is_looked_at(shop, tmp_path):
    write(drawn.pictures(4, seed=0, size=80, colour=True), tmp_path, range(4))
    (tmp_path / "Coat").mkdir(exist_ok=True)
    (tmp_path / "Coat" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    paths = tuple(sorted(tmp_path.rglob("*.*")))
    files = PhotoFiles(tmp_path, paths, np.zeros(len(paths), np.int64), ("a",), ("x: left out before",))
    split, photos = read(files, silent)
    assert len(split) == len(photos) == 4
    assert split.skipped[0] == "x: left out before"
    assert "broken.jpg" in split.skipped[1]
    none = PhotoFiles(tmp_path, (tmp_path / "Coat" / "broken.jpg",), np.zeros(1, np.int64), ("a",))
    with pytest.raises(HangtagError, match=r"no photo that can be read.*broken\.jpg"):
        read(none, silent)


def test_one_block_of_photos_is_in_memory_at_a_time(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(module, "_BLOCK", 16)
    monkeypatch.setattr(module, "sketch", lambda photos, *rest: sizes.append(len(photos)) or sketch(photos, *rest))
    Image.fromarray(drawn.pictures(1, seed=0, size=96, colour=True).images[0]).save(tmp_path / "a.png")
    files = PhotoFiles(tmp_path, (tmp_path / "a.png",) * 40, np.zeros(40, np.int64), ("a",))
    _, photos = read(files, silent)
    assert sizes == [16, 16, 8]
    assert sum(getattr(photos, name).nbytes for name in photos.__dataclass_fields__) < 40 * 5_000


@pytest.mark.parametrize("turned", [False, True])
def test_padding_is_not_part_of_the_sketch(tmp_path, turned):
    upright = Image.fromarray(drawn.pictures(1, seed=0, size=128, colour=True).images[0] + np.uint8(20)).resize(
        (96, 128)
    )
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    shown = upright.transpose(Image.Transpose.ROTATE_90) if turned else upright
    shown.save(tmp_path / "a.png", exif=exif)
    _, photos = read(PhotoFiles(tmp_path, (tmp_path / "a.png",), np.zeros(1, np.int64), ("a",)), silent)
    wanted = np.asarray(upright.resize((64, 64), Image.Resampling.BILINEAR).convert("L"))
    assert np.abs(photos.grey[0].astype(int) - wanted).mean() < 3


@pytest.mark.real
@pytest.mark.slow
def test_finds_the_one_pair_and_the_two_odd_ones_of_real_photos():
    folder = Path(os.environ.get("HANGTAG_DATA") or os.devnull) / "clothing-small"
    if not folder.is_dir():
        pytest.skip("HANGTAG_DATA holds no clothing-small")
    found = audit_of(folder)
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [(row["picture"][:16], row["finding"], row["partner"][:15]) for row in rows] == [
        ("skirt/637a56e4-7", "near-duplicate: alike", "shorts/6075b4a5"),
        ("t-shirt/502cd9c0", "odd: saturated", ""),
        ("outwear/ad44c61f", "odd: inverted", ""),
    ]
