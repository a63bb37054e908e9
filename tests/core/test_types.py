from dataclasses import replace

import numpy as np
import pytest

from hangtag.core.types import Split


def split(n: int = 6) -> Split:
    images = np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2)
    return Split(images, np.arange(n, dtype=np.int64) % 2, ("a", "b"), tuple(f"{i}.png" for i in range(n)), ("x: bad",))


def test_taking_keeps_pictures_labels_and_sources_together():
    taken = split().take(np.array([4, 1]))
    assert (taken.images[0, 0, 0], taken.labels.tolist(), taken.sources) == (16, [0, 1], ("4.png", "1.png"))
    assert (len(taken), taken.counts()) == (2, {"a": 1, "b": 1})


def test_counts_classes_without_pictures_too():
    assert replace(split(), class_names=("a", "b", "c")).counts() == {"a": 3, "b": 3, "c": 0}


def test_equal_digests_mean_equal_data():
    one = split()
    images = one.images.copy()
    images[0, 0, 0] ^= 1
    others = [
        replace(one, images=images),
        replace(one, labels=one.labels[::-1].copy()),
        replace(one, class_names=("a", "c")),
        replace(one, images=one.images.reshape(6, 1, 4)),
        one.take(np.arange(5)),
    ]
    assert len({one.digest(), *(other.digest() for other in others)}) == 6
    assert one.digest() == split().digest()
    fortran = replace(one, images=np.asfortranarray(one.images))
    assert fortran.digest() == one.digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"images": np.zeros((6, 2, 2), np.float32)},
        {"images": np.zeros((6, 2, 2, 4), np.uint8)},
        {"labels": np.zeros(6, np.int32)},
        {"labels": np.zeros(5, np.int64)},
        {"sources": ("one",)},
    ],
)
def test_shapes_that_would_surface_far_away_are_rejected_here(changes):
    with pytest.raises(AssertionError):
        replace(split(), **changes)
