"""The examples run, and end in what they promise."""

import runpy
from pathlib import Path

import pytest

import hangtag
from hangtag import models, recipes
from hangtag.data.sets import drawn

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True)
def _few_pictures(monkeypatch, tmp_path):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 1_200)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 200)
    monkeypatch.chdir(tmp_path)


def test_your_model(capsys):
    """One file adds a model and a recipe, and both are known like ours."""
    try:
        runpy.run_path(str(EXAMPLES / "your_model.py"))["main"](Path("runs"))
        said = capsys.readouterr().out
        assert "on 200 test pictures: " in said
        assert hangtag.load("runs/wider").class_names[0] == "T-shirt/top"
        assert "two_conv" in models.register.names()
        assert recipes.register.summary("two_conv").startswith("Drawn garments")
    finally:  # it is a guest: the contract tests over all models are for ours
        for register in (models.register, recipes.register):
            register._entries.pop("two_conv", None)
            register._facts.pop("two_conv", None)


def test_your_photos(capsys):
    example = runpy.run_path(str(EXAMPLES / "your_photos.py"))
    example["main"](example["draw"](Path("photos")), Path("run"))
    said = capsys.readouterr().out
    assert "1 file left out: " in said
    assert "broken.png" in said
    assert " is Bag, " in said
    assert hangtag.load("run").class_names == ("Bag", "Trouser")
