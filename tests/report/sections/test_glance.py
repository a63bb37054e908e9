from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from hangtag import data
from hangtag.report.album import Album
from hangtag.report.judged import measure
from hangtag.report.sections.glance import _find, glance

from ..conftest import SIZE, fill


@pytest.fixture(scope="module")
def found(shop):
    judged = measure(shop.bundle, shop.data, audited=False)
    return glance(judged, Album(judged))


def test_counts_each_class_in_each_split(found):
    assert [(row.training, row.validation, row.test) for row in found.rows] == [(220, 20, 80)] * 3
    assert {row.bar for row in found.rows} == {1.0}


def test_shows_examples_of_every_class(found):
    assert [len(examples) for examples in found.examples] == [10, 10, 10]


def test_says_how_the_pictures_were_split(found):
    assert found.split.startswith("660 pictures to learn from; 60 for validation")
    assert "240 test pictures" in found.split


def test_shows_photos_before_and_after(found):
    before, after = found.prepared
    assert (before.name, after.name) == ("as photographed", "as the model sees it")
    assert len(before.pictures) == len(after.pictures) == 8


@pytest.mark.parametrize("folder", ["split", "whole (2024)"])
def test_the_photo_shown_is_the_one_the_model_saw(tmp_path, folder):
    root, generator = tmp_path / folder, np.random.default_rng(0)
    for half, number in (("train", 30), ("test", 10)) if folder == "split" else (("", 40),):
        fill(root / half, generator.integers(0, 256, (number, SIZE, SIZE), np.uint8), np.arange(number) % 3)
    dataset = data.find(str(root), size=SIZE)
    test = dataset.test()
    judged = SimpleNamespace(dataset=dataset)
    for image, source in zip(test.images, test.sources, strict=True):
        assert np.array_equal(np.asarray(Image.open(_find(judged, source))), image)


def test_shows_what_augmentation_does_to_one_picture(shop):
    import dataclasses

    from hangtag.core import recipe

    augmented = recipe.NetworkRecipe(
        name="x", model=recipe.Part("lenet5"), size=16, augment=(recipe.Part("shift"), recipe.Part("mixup"))
    )
    judged = measure(shop.bundle, shop.data, audited=False)
    card = dataclasses.replace(judged.card, recipe=recipe.to_dict(augmented))
    judged = dataclasses.replace(judged, bundle=dataclasses.replace(judged.bundle, card=card))
    strips = glance(judged, Album(judged)).augmented
    assert [strip.name for strip in strips] == ["as it is", "shift", "mixup", "all together"]
    assert len(set(strips[1].pictures)) > 1
