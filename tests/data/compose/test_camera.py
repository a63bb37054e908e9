"""What a camera does keeps the image's shape and what it shows."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag.data.compose.camera import as_image, closer, taken, view


def test_an_image_that_was_taken_shows_what_the_scene_shows():
    scene = np.ones((96, 96, 3), np.float32)
    scene[30:70, 30:70] = (0.1, 0.2, 0.6)
    images = [taken(scene, np.random.default_rng(seed)) for seed in range(30)]
    assert all(image.shape == scene.shape and image.dtype == np.uint8 for image in images)
    darker = [image[40:60, 40:60].mean() < image[:20, :20].mean() for image in images]
    assert np.mean(darker) > 0.8  # something may be in front


def test_views_of_a_photo_are_square_and_differ():
    photo = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    views = [view(photo, np.random.default_rng(seed), 64) for seed in range(10)]
    assert {one.shape for one in views} == {(64, 64, 3)}
    assert len({one.tobytes() for one in views}) == 10


def test_a_closer_look_enlarges_a_part():
    scene = np.zeros((64, 64, 3), np.float32)
    scene[24:40, 24:40] = 1
    assert closer(scene, np.random.default_rng(0)).mean() > scene.mean()


def test_brightness_beyond_white_is_white():
    assert as_image(np.full((2, 2, 3), 1.5)).max() == 255
    assert as_image(np.full((2, 2, 3), -1.0)).max() == 0
