"""Garments are found in photos by themselves, and cut out without their surroundings."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.cut_outs import cut_out, find_mask, is_usable, trimmed


def photo(rng: np.random.Generator) -> np.ndarray:
    """A red rectangle on a grey floor."""
    image = np.clip(rng.normal(150, 6, (200, 150, 3)), 0, 255).astype(np.uint8)
    image[40:160, 45:105] = (180, 30, 40)
    return image


def test_the_garment_is_found_and_its_floor_is_not():
    mask = find_mask(photo(np.random.default_rng(0)))
    expected = np.zeros((200, 150), bool)
    expected[40:160, 45:105] = True
    rows, columns = np.arange(160) * 200 // 160, np.arange(160) * 150 // 160
    assert (mask == expected[rows][:, columns]).mean() > 0.97
    assert is_usable(mask)


def test_a_cut_out_is_trimmed_and_keeps_its_colours():
    image = photo(np.random.default_rng(1))
    garment = cut_out(image, find_mask(image))
    assert abs(garment.shape[0] - 120) <= 4
    assert abs(garment.shape[1] - 60) <= 4
    assert garment[60, 30] == pytest.approx([180 / 255, 30 / 255, 40 / 255, 1])


def test_a_photo_of_one_colour_gives_no_usable_garment():
    assert not is_usable(find_mask(np.full((100, 100, 3), 200, np.uint8)))


@pytest.mark.parametrize("part", [slice(0, 30), slice(0, 160)], ids=["a corner", "everything"])
def test_what_is_a_speck_or_everything_is_not_usable(part):
    mask = np.zeros((160, 160), bool)
    mask[part, part] = True
    assert not is_usable(mask)


def test_nothing_is_trimmed_to_what_it_is():
    assert trimmed(np.zeros((5, 6, 4), np.float32)).shape == (5, 6, 4)
