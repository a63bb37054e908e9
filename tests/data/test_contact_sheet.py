from __future__ import annotations

import numpy as np

from hangtag.core.types import Split
from hangtag.data.contact_sheet import bar, contact_sheet, examples, half_blocks
from hangtag.data.sets import drawn


def test_shows_every_class_and_its_pictures_unchanged():
    split = drawn.pictures(60, seed=0)
    sheet = np.asarray(contact_sheet(split, "drawn, training", per_class=4))
    picture = np.kron(split.images[0], np.ones((3, 3), dtype=np.uint8))  # 28 pixels are shown as 84
    found = [
        (y, x)
        for y in range(sheet.shape[0] - 84)
        for x in (36 + 230,)
        if (sheet[y : y + 84, x : x + 84, 0] == picture).all()
    ]
    assert len(found) == 1


def test_takes_classes_with_few_or_no_pictures_and_awkward_names():
    images = np.zeros((1, 100, 100, 3), dtype=np.uint8)
    names = ("empty", "a\nb\x1b[31m" + "long" * 99, "日本")
    assert contact_sheet(Split(images, np.array([1]), names), "odd").width > 1000


def test_examples_are_spread_over_the_split_and_never_repeat():
    split = drawn.pictures(100, seed=0)
    chosen = examples(split, 3, 5)
    assert (chosen[0], chosen[-1]) == (3, 93)
    assert set(split.labels[chosen]) == {3}
    assert len(set(examples(split, 3, 99))) == 10


def test_half_blocks_show_two_pixels_in_a_character():
    picture = np.zeros((4, 4), dtype=np.uint8)
    picture[0] = 200
    text = half_blocks(picture, 4)
    assert text.plain == "▀▀▀▀\n▀▀▀▀\n"
    style = text.spans[0].style
    assert style.color.triplet.red == 200
    assert style.bgcolor.triplet.red == 0


def test_a_bar_is_as_long_as_its_share():
    assert bar(1, 10) == "█" * 10
    assert bar(0.5, 10) == "█" * 5
    assert bar(0.0001, 10) == "▏"
    assert bar(0, 10) == ""
