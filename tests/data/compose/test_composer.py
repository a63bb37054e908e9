"""Images are composed alike every time, of every class, and of what was given."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.core.types import Split
from hangtag.data.compose.composer import CLASSES, SIDE, Composer
from hangtag.data.sets import drawn


@pytest.fixture(scope="module")
def composer() -> Composer:
    rng = np.random.default_rng(0)
    labels = np.array([label for label in range(CLASSES) if label != 8])  # no photo shows a bag
    photos = [rng.integers(100, 160, (80, 60, 3)).astype(np.uint8) for _ in labels]
    mask = np.zeros((160, 160), bool)
    mask[40:120, 50:110] = True
    garments = drawn.pictures(20, seed=3)
    return Composer(photos, labels, [mask] * len(labels), garments, garments)


def quiet(what: str, done: int, total: int) -> None: ...


def test_a_longer_set_begins_with_the_same_images(composer):
    images, labels = composer.compose(30, 1, quiet)
    more, more_labels = composer.compose(60, 1, quiet)
    assert (images == more[:30]).all()
    assert (labels == more_labels[:30]).all()
    assert images.shape == (30, SIDE, SIDE, 3)
    assert set(more_labels) == set(range(CLASSES))


def test_held_out_images_are_the_photos_and_as_many_of_each_class(composer):
    images, labels = composer.held_out(2, 9, quiet)
    composed = labels[len(composer.photos) :]
    assert (labels[: len(composer.photos)] == composer.labels).all()
    assert (np.bincount(composed, minlength=CLASSES)[:10] == 8).all()
    assert len(images) == len(labels)
    again, _ = composer.held_out(2, 9, quiet)
    assert (images == again).all()


def test_progress_ends_at_the_last_image(composer):
    heard: list[tuple[int, int]] = []
    composer.compose(7, 0, lambda what, done, total: heard.append((done, total)))
    assert heard == [(7, 7)]


def test_the_set_has_eleven_classes_of_which_the_last_is_other():
    from hangtag.data.sets.photos10 import NAMES

    assert len(NAMES) == CLASSES
    assert NAMES[-1] == "other"
    assert isinstance(drawn.pictures(1, seed=0), Split)
