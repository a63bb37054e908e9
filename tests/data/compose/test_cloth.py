"""Grey garments get colours that clothes have."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.cloth import cloth_colour, coloured
from hangtag.data.sets.drawn import draw


@pytest.mark.parametrize("label", range(10))
def test_a_coloured_garment_covers_what_the_grey_one_covers(label):
    grey = draw(label, np.random.default_rng([label, 1]))
    garment = coloured(grey, np.random.default_rng(label))
    rows, columns = np.flatnonzero((grey > 15).any(axis=1)), np.flatnonzero((grey > 15).any(axis=0))
    shape = (rows[-1] - rows[0] + 1) * 7, (columns[-1] - columns[0] + 1) * 7
    assert abs(garment.shape[0] - shape[0]) <= 14
    assert abs(garment.shape[1] - shape[1]) <= 14
    assert garment.min() >= 0
    assert garment.max() <= 1


def test_colours_are_those_of_clothes_and_all_may_come():
    rng = np.random.default_rng(0)
    colours = np.array([cloth_colour(rng) for _ in range(400)])
    grey = np.ptp(colours, axis=1) < 0.1
    assert 0.3 < grey.mean() < 0.7  # black, white and grey are worn most
    assert colours.max(axis=0).min() > 0.8
