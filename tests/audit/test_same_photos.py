"""A photo that is there twice is found, however it was copied; two photos that look alike are not taken for one."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from hangtag.audit.photos import sketch
from hangtag.audit.same_photos import same_photos
from hangtag.data.sets import drawn
from hangtag.preprocess.decode import decode
from hangtag.preprocess.photo import convert


def photo(garment, rng):
    """A garment on a mottled ground, as people take photos: (256, 192) RGB."""
    ground = np.asarray(Image.fromarray(rng.integers(90, 200, (24, 18, 3), np.uint8)).resize((192, 256), 2))
    image = Image.fromarray(ground)
    image.paste(Image.fromarray(garment), (16, 48), Image.fromarray((garment.max(axis=2) > 0).astype(np.uint8) * 255))
    return image


def read(image, quality=90):
    """What an audit keeps of it: its pixels at 96 a side, its height and width."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return convert(decode(file.getvalue()), 96, colour=True), (image.height, image.width)


def sketches(photos):
    return sketch(np.stack([pixels for pixels, _ in photos]), np.array([size for _, size in photos]))


def cropped(image, left, top, right, bottom):
    return image.crop((left, top, image.width - right, image.height - bottom))


CHANGES = {
    "exact": lambda image: read(image),
    "mirrored": lambda image: read(ImageOps.mirror(image)),
    "resized": lambda image: read(image.resize((120, 160))),
    "recompressed": lambda image: read(image, 40),
    "brighter": lambda image: read(ImageEnhance.Brightness(image).enhance(1.2)),
    "darker": lambda image: read(ImageEnhance.Brightness(image).enhance(0.75)),
    "cropped": lambda image: read(cropped(image, 8, 10, 6, 8)),
    "mirrored and cropped": lambda image: read(ImageOps.mirror(cropped(image, 6, 0, 8, 12)), 70),
}
RELATIONS = {"exact": "identical", "resized": "alike", "recompressed": "alike", "brighter": "alike", "darker": "alike"}


@pytest.fixture(scope="module")
def photos():
    rng = np.random.default_rng(0)
    return [photo(garment, rng) for garment in drawn.pictures(60, seed=11, size=160, colour=True).images]


@pytest.fixture(scope="module")
def known(photos):
    return sketches([read(image) for image in photos])


@pytest.mark.parametrize("change", CHANGES)
def test_finds_a_copy_and_says_how_it_was_made(photos, known, change):
    copies = sketches([CHANGES[change](image) for image in photos[:20]])
    found = {pair.first: pair for pair in same_photos(copies, known)}
    assert {first for first, pair in found.items() if pair.second == first} == set(found)  # and nothing else
    assert len(found) >= 19
    relations = [pair.relation for pair in found.values()]
    assert relations.count(RELATIONS.get(change, change)) >= 19


def test_photos_of_different_garments_are_no_pairs(known):
    assert same_photos(known) == []


def test_a_garment_photographed_again_on_the_same_ground_is_another_photo():
    garments = drawn.pictures(20, seed=12, size=160, colour=True).images
    first = sketches([read(photo(garments[i], np.random.default_rng(5))) for i in range(0, 20, 2)])
    second = sketches([read(photo(garments[i], np.random.default_rng(5))) for i in range(1, 20, 2)])
    assert same_photos(first, second) == []


@pytest.mark.parametrize("seed", [5, 8])  # whose trousers and dresses agree in outline by 0.97
def test_garments_of_one_cut_on_an_empty_ground_are_no_pairs(seed):
    garments = drawn.pictures(100, seed=seed, size=120, colour=True).images
    assert same_photos(sketches([read(Image.fromarray(garment)) for garment in garments])) == []


def test_the_same_cut_in_another_colour_is_another_photo(photos):
    blue_for_red = [Image.merge("RGB", image.split()[::-1]) for image in photos[:10]]
    assert (
        same_photos(sketches([read(image) for image in photos[:10]]), sketches([read(image) for image in blue_for_red]))
        == []
    )


def test_within_one_set_the_first_comes_first_and_the_closest_pair_first(photos):
    images = [read(image) for image in photos[:12]]
    pairs = same_photos(sketches([*images, images[3], CHANGES["recompressed"](photos[2])]))
    assert [(pair.first, pair.second, pair.relation) for pair in pairs] == [(3, 12, "identical"), (2, 13, "alike")]
    assert 0 == pairs[0].distance < pairs[1].distance < 0.1


def test_a_plain_photo_is_nobodys_copy(known):
    plain = sketch(np.full((3, 96, 96, 3), (200, 120, 120), np.uint8))
    assert same_photos(plain) == same_photos(plain, known) == same_photos(known, plain) == []


def test_progress_reaches_its_end(known):
    reported = []
    same_photos(known, progress=lambda done, total: reported.append((done, total)))
    assert reported[-1][0] == reported[-1][1] > 0


def test_nothing_has_no_copies(known):
    none = sketch(np.zeros((0, 96, 96, 3), np.uint8))
    assert same_photos(none) == same_photos(none, known) == same_photos(known, none) == []
