"""Photos and composed images of the ten classes and `other`, nobody's in both halves."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from hangtag import data
from hangtag.data import clothing
from hangtag.data.sets import photos10


@pytest.mark.real
@pytest.mark.slow
def test_no_photo_of_a_sender_who_is_held_out_is_trained_on(monkeypatch, tmp_path):
    from hangtag.data.compose import composer

    few = [photo for label in (*range(8), 9, 10) for photo in _of_both_halves(label)]
    monkeypatch.setenv("HANGTAG_CACHE", str(tmp_path))
    monkeypatch.setattr(clothing, "listed", lambda: tuple(few))
    monkeypatch.setattr(photos10, "TRAINING_IMAGES", 40)
    monkeypatch.setattr(photos10, "VALIDATION_IMAGES_OF_A_KIND", 1)
    monkeypatch.setattr(composer, "_DRAWN", 20)
    dataset = data.find("photos10", size=64, colour=True)
    training, validation = dataset.training(), dataset.validation()
    assert training.images.shape == (40, 64, 64, 3)
    assert validation.class_names == training.class_names == (*clothing.CLASS_NAMES, "other")
    assert len(np.unique(validation.labels)) == 11
    senders = [{photo.sender for photo in few if (photo.sender % 5 == 2) is held_out} for held_out in (True, False)]
    assert not senders[0] & senders[1]


def _of_both_halves(label: int) -> list[clothing.ClothingPhoto]:
    photos = [photo for photo in clothing.listed() if photo.label == label]
    held_out = [photo for photo in photos if photo.sender % 5 == 2]
    return [photo for photo in photos if photo.sender % 5 != 2][:4] + held_out[:4]
