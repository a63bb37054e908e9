"""Bundles that come with Hangtag are what they say, and small enough to come with it."""

from pathlib import Path

import pytest

import hangtag
from hangtag.evaluation import evaluate_bundle
from hangtag.export.half import halved
from hangtag.predict.bundle import open_bundle

PACKAGED = Path(hangtag.__file__).parent / "weights"
BESIDE = Path(__file__).parents[1] / "weights"  # in the repository, outside the wheel
FOLDERS = sorted(path.parent for root in (PACKAGED, BESIDE) for path in root.glob("*/card.json"))


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_default_is_at_most_six_megabytes_and_those_beside_it_twenty_eight():
    assert size(PACKAGED / "default") <= 6_000_000
    assert sum(size(folder) for folder in FOLDERS if folder.is_relative_to(BESIDE)) <= 28_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_weights_that_are_shipped_are_kept_in_sixteen_bits(folder):
    content = open_bundle(folder).files["model.onnx"]
    assert halved(content) == content


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_judged_again_they_score_what_their_card_says_to_the_last_digit(folder):
    stated = open_bundle(folder).card.metrics["test"]
    found = evaluate_bundle(folder, "fashion-mnist")
    assert found.n == stated["n"]
    assert found.accuracy == stated["accuracy"]
    # Sums are taken in an order that the processor chooses.
    assert found.scores["loss"] == pytest.approx(stated["loss"], rel=1e-5)
