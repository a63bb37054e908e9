"""A bundle with members is evaluated on a folder of photos as `recognise` answers them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hangtag import predict
from hangtag.core.errors import HangtagError
from hangtag.evaluation import evaluate_bundle
from hangtag.evaluation.routed import BLOCK

COLOURS = {"dark": (10, 10, 10), "light": (240, 240, 240), "red": (250, 20, 20)}


@pytest.fixture
def folder(tmp_path):
    """Photos in folders of the classes, and among them images of Fashion-MNIST's kind."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for name, colour in COLOURS.items():
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for i in range(3):
                pixels = np.clip(np.array(colour) + random.integers(-40, 40, (60 + i, 80, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / split / name / f"{i}.png")
        grey = np.full((28, 28), 5, np.uint8)
        grey[8:20, 8:20] = 90
        Image.fromarray(grey).save(tmp_path / "data" / split / "dark" / "small.png")
    return tmp_path / "data"


def test_each_photo_of_a_folder_counts_as_recognise_answers_it(whole, folder):
    found = predict.load(whole).recognise(folder / "test")
    assert {one.member for one in found} == {"small", "photos"}
    right = [one.label == Path(one.path).parent.name for one in found]
    evaluation = evaluate_bundle(whole, folder)
    assert (evaluation.n, evaluation.accuracy) == (10, np.mean(right))
    alone = evaluate_bundle(whole / "small", folder)
    assert alone.accuracy < evaluation.accuracy  # it sees no colour


def test_what_cannot_be_read_is_named_as_for_any_model(whole, folder):
    (folder / "test" / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    evaluation = evaluate_bundle(whole, folder)
    assert evaluation.n == 10
    assert "broken.png" in str(evaluation.reading)


def test_an_image_of_nothing_counts_too(whole, folder):
    Image.new("RGB", (50, 50), (255, 0, 0)).save(folder / "test" / "red" / "even.png")
    assert evaluate_bundle(whole, folder).n == 11


def test_more_photos_than_are_held_in_memory_keep_their_order(whole, folder):
    for i in range(BLOCK):
        Image.new("RGB", (40, 30), (250, i, 0)).save(folder / "test" / "red" / f"more{i:03}.png")
    evaluation = evaluate_bundle(whole, folder)
    assert evaluation.n == 10 + BLOCK
    assert evaluation.per_class[2]["recall"] == 1


def test_a_file_that_vanishes_meanwhile_is_named(whole, folder):
    def progress(what, done, total):
        if what == "reading test" and done == total:
            (folder / "test" / "dark" / "0.png").unlink(missing_ok=True)

    with pytest.raises(HangtagError) as caught:
        evaluate_bundle(whole, folder, progress=progress)
    assert caught.value.code == "image_not_found"
    assert "0.png" in caught.value.message
