import pytest

from hangtag.report.album import Album
from hangtag.report.judged import measure
from hangtag.report.sections.glance import glance


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
