"""Backgrounds are plain scenes, and garments lie on them whole."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.scenes import background, paste, rotated, unworn

GARMENT = np.dstack([np.zeros((60, 40, 3)), np.ones((60, 40))]).astype(np.float32)


def scene(seed: int) -> np.ndarray:
    return background(np.random.default_rng(seed), 64, lambda: np.full((50, 70, 3), 90, np.uint8))


def test_backgrounds_are_in_range_and_often_white():
    scenes = [scene(seed) for seed in range(200)]
    assert all(one.min() >= 0 and one.max() <= 1 and one.shape == (64, 64, 3) for one in scenes)
    assert sum(one.min() > 0.9 for one in scenes) > 60


def test_what_is_pasted_beyond_the_edge_is_cut_off():
    canvas = np.ones((20, 20, 3), np.float32)
    for centre, top in ((0, -5), (20, 15), (10, 40), (-50, 0)):
        paste(canvas, GARMENT, centre, top, 12, 8)
    assert (canvas[:3, :2] == 0).all()
    assert (canvas[8:12, 8:12] == 1).all()


def test_an_unworn_garment_lies_whole_on_the_scene():
    for seed in range(20):
        canvas = unworn(GARMENT, np.random.default_rng(seed), np.ones((64, 64, 3), np.float32))
        dark = (canvas < 0.05).all(axis=2)
        assert dark.sum() > 0.9 * (0.62 * 64) * (0.62 * 64 * 2 / 3)
        assert not dark[:, [0, -1]].any()


def test_a_turned_garment_is_all_there():
    assert rotated(GARMENT, 30)[..., 3].sum() == pytest.approx(GARMENT[..., 3].sum(), rel=0.02)
