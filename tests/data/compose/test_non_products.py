"""Non-products are of many kinds, and in range."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.non_products import non_product


def test_they_are_of_many_kinds_and_in_range():
    made = [non_product(np.random.default_rng(seed), np.ones((96, 96, 3), np.float32)) for seed in range(80)]
    assert all(canvas.min() >= 0 and canvas.max() <= 1 for canvas in made)
    covered = np.array([(abs(canvas - 1) > 0.02).mean() for canvas in made])
    assert (covered > 0.99).any()  # noise, patterns
    assert (covered == 0).any()  # nothing at all
    assert ((covered > 0.02) & (covered < 0.6)).any()
