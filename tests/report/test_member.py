"""A report on a bundle with members is on the member that the images go to."""

import numpy as np
import pytest
from PIL import Image

from hangtag.core.card import is_member
from hangtag.predict.bundle import open_bundle
from hangtag.report.calibration import _keep
from hangtag.report.judged import measure
from hangtag.study.judged_run import open_and_judge
from hangtag.watch import Watch

COLOURS = {"dark": (10, 10, 10), "light": (240, 240, 240), "red": (250, 20, 20)}


@pytest.fixture(params=["photos", "grey"])
def folder(tmp_path, request):
    """A folder of photos, or of grey images of 28 x 28, and which member is for it."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for name, colour in COLOURS.items():
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for i in range(4):
                shape = (60, 80, 3) if request.param == "photos" else (28, 28)
                base = np.array(colour) if request.param == "photos" else colour[0]
                pixels = np.clip(base + random.integers(-20, 20, shape), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / split / name / f"{i}.png")
    return tmp_path / "data", "b" if request.param == "photos" else "a"


def test_a_folder_is_reported_by_the_member_of_its_kind_as_that_sees_it(whole, folder):
    path, member = folder
    judged = measure(whole, str(path), audited=False)
    assert judged.card.name == member
    assert judged.test.images.shape[1:] == ((48, 48, 3) if member == "b" else (28, 28))
    assert (judged.evaluation.accuracy > 0.5) == (member == "b")  # without colours red is not told from light


def test_a_folder_is_compared_by_the_member_of_its_kind(whole, folder, tmp_path):
    path, member = folder
    found = open_and_judge(str(whole), "fashion-mnist", str(path), "test", str(tmp_path), Watch())
    assert (found["accuracy"] > 0.5) == (member == "b")
    assert found["file_mb"] > 0


def test_the_card_of_a_member_is_not_written_to(whole, make_member):
    member, alone = open_bundle(whole / "photos"), make_member("alone", 28, False)
    assert (is_member(whole / "photos"), is_member(whole), is_member(alone.folder)) == (True, False, False)
    assert "member of a bundle" in _keep(member, {"temperature": 2.0})
    assert "is kept" in _keep(alone, {"temperature": 2.0})
    open_bundle(whole)
