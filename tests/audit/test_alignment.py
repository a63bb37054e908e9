import numpy as np
import pytest
from PIL import Image

from hangtag.audit.alignment import align, correlation, pooled, sampled, softened, unplaced
from hangtag.data.sets import drawn


@pytest.fixture(scope="module")
def greys():
    """(6, 128, 128)"""
    return drawn.pictures(6, seed=1, size=128).images


def halved(images):
    return softened(np.stack([np.asarray(Image.fromarray(image).resize((64, 64), 2)) for image in images]))


def test_finds_where_a_crop_was_cut(greys):
    cut = halved(greys[:, 8:124, 4:122])  # across: scale 118 / 128; its middle lies at 63, of 128
    placing = align(cut, halved(greys), unplaced(6), 12)
    np.testing.assert_allclose(placing.mean(axis=0), [118 / 128, -1 / 64, 116 / 128, 2 / 64], atol=0.02)


def test_what_is_laid_over_each_other_agrees_better_than_before(greys):
    cut, whole = halved(greys[:, 8:124, 4:122]), halved(greys)
    before = correlation(cut, *sampled(whole, unplaced(6)))
    after = correlation(cut, *sampled(whole, align(cut, whole, unplaced(6), 12)))
    assert (after > before).all()
    assert (after > 0.99).all()


def test_brightness_and_contrast_do_not_count(greys):
    whole = halved(greys)
    np.testing.assert_allclose(correlation(whole * 0.5 + 40, *sampled(whole, unplaced(6))), 1, atol=1e-4)
    np.testing.assert_allclose(align(whole * 0.5 + 40, whole, unplaced(6), 3), unplaced(6), atol=1e-3)


def test_a_plain_image_is_like_none(greys):
    plain = np.full((6, 64, 64), 90, np.float32)
    assert (np.abs(correlation(plain, *sampled(halved(greys), unplaced(6)))) < 1e-3).all()


def test_no_pairs_are_aligned_too():
    none = np.zeros((0, 16, 16), np.float32)
    assert align(none, none, unplaced(0), 2).shape == (0, 4)
    assert softened(none).shape == pooled(np.zeros((0, 64, 64), np.uint8), 4).shape == (0, 16, 16)
