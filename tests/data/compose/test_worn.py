"""Whatever its class, a garment that is worn can be seen, with somebody around it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.worn import OTHER, worn

GARMENT = np.dstack([np.zeros((90, 70, 3)), np.ones((90, 70))]).astype(np.float32)
GARMENT[..., 2] = 1  # blue


@pytest.mark.parametrize("label", range(OTHER + 1))
def test_a_worn_garment_is_seen_on_somebody(label):
    red = GARMENT[..., [2, 1, 0, 3]]
    for seed in range(8):
        canvas = worn(
            label, GARMENT, np.random.default_rng([label, seed]), np.ones((112, 112, 3), np.float32), lambda k: red
        )
        blue = (canvas[..., 2] > 0.8) & (canvas[..., 0] < 0.2)
        assert blue.mean() > 0.03
        drawn = (abs(canvas - 1) > 0.05).any(axis=2)
        assert (drawn & ~blue).mean() > 0.02


def test_the_same_seed_draws_the_same_person():
    first, second = (
        worn(0, GARMENT, np.random.default_rng(5), np.ones((64, 64, 3), np.float32), lambda k: GARMENT) for _ in "ab"
    )
    assert (first == second).all()
