"""Parts of people are drawn where they belong and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.people import fill, hair_colour, head, limb, skin_colour


def changed(draw) -> np.ndarray:
    canvas = np.ones((100, 100, 3), np.float32)
    draw(canvas, np.random.default_rng(0))
    return (abs(canvas - 1) > 0.02).any(axis=2)


def test_an_outline_is_filled_and_its_surroundings_are_left():
    inside = changed(lambda canvas, rng: fill(canvas, [(20, 20), (60, 20), (60, 70), (20, 70)], np.full(3, 0.2), rng))
    assert inside[22:68, 22:58].all()
    assert not inside[:15].any()


def test_a_limb_reaches_from_end_to_end():
    inside = changed(lambda canvas, rng: limb(canvas, (50, 10), (50, 90), (6, 4), np.full(3, 0.3), rng))
    assert inside[12:88, 50].all()
    assert not inside[:, :38].any()


def test_a_limb_outside_the_scene_draws_nothing():
    assert not changed(lambda canvas, rng: limb(canvas, (200, 10), (200, 90), (6, 4), np.full(3, 0.3), rng)).any()


def test_a_head_ends_above_its_shoulders():
    inside = changed(lambda canvas, rng: head(canvas, 50, 60, 40, skin_colour(rng), hair_colour(rng), rng))
    assert inside[25:58, 45:55].all()
    assert not inside[95:].any()
