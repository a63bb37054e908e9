"""Pictures that are there twice: the same, mirrored, shifted by a pixel, or with a little noise.

In two steps. Descriptions that neither mirroring nor shifting changes give each picture's few nearest neighbours; those
are laid over each other in every position and compared pixel by pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hangtag.audit.descriptions import describe, nearest, reduced
from hangtag.core.types import Pictures

Relation: TypeAlias = Literal[
    "identical", "alike", "shifted", "mirrored", "mirrored and shifted", "cropped", "mirrored and cropped"
]

MOST_DIFFERENT = 0.07  # below it Fashion-MNIST holds one article twice; above it, any two pairs of plain trousers
LEAST_CONTRAST = 70  # levels: in darker pictures noise would count for more; with it, noise of 8 levels is found too
NEIGHBOURS = 8  # compared with each picture: of 1,000 shifted pictures 998 had their origin among them
REACH = 2  # times MOST_DIFFERENT: pictures whose descriptions are farther apart are not laid over each other
_PAIRS = 2048  # compared at a time: 2 x 2,048 x 28 x 28 floats are 13 MB
_SHIFTS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))  # pixels down and across


@dataclass(frozen=True)
class NearDuplicate:
    """Two pictures that show the same thing.

    Args:
        first, second: their indices.
        distance: root mean square of the difference of their pixels, softened and laid over each other as well as may
            be, in units of their contrast (standard deviation) or of 70 levels: 0 for equal pixels, most often about 1.
        relation: what the first has undergone to be the second; "alike" is neither moved nor quite the same.
    """

    first: int
    second: int
    distance: float
    relation: Relation


def near_duplicates(images: Pictures, others: Pictures | None = None) -> list[NearDuplicate]:
    """Pairs of near-duplicates, the closest first. A picture of one shade is nobody's duplicate.

    Of a picture that is there more than NEIGHBOURS times, not every pair is told.

    Args:
        images: (N, H, W) or (N, H, W, 3) uint8; of more than 32 pixels a side, they are compared at 32.
        others: (M, H, W) or (M, H, W, 3) uint8: pairs of one of `images` and one of these; `second` is an index here.
            By default pairs within `images`, with first < second.

    Raises:
        ValueError: if the pictures of the two sets differ in shape.
    """
    if others is not None and others.shape[1:] != images.shape[1:]:
        raise ValueError(f"want pictures of one shape, got {images.shape[1:]} and {others.shape[1:]}")
    mine = reduced(images)
    theirs = mine if others is None else reduced(others)
    if not len(mine) or not len(theirs):
        return []
    if others is None:
        first, second = _candidates(mine, mine, within=True)
    elif len(theirs) < len(mine):  # each of the fewer is compared with its few neighbours
        second, first = _candidates(theirs, mine, within=False)
    else:
        first, second = _candidates(mine, theirs, within=False)
    found = []
    for start in range(0, len(first), _PAIRS):
        some, other = first[start : start + _PAIRS], second[start : start + _PAIRS]
        distances, relations = _compare(mine[some], theirs[other])
        found += [
            NearDuplicate(int(some[i]), int(other[i]), float(distances[i]), relations[i])
            for i in np.flatnonzero(distances <= MOST_DIFFERENT)
        ]
    return sorted(found, key=lambda pair: (pair.distance, pair.first, pair.second))


def _candidates(mine: Pictures, theirs: Pictures, within: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Indices of pictures whose descriptions are near each other; each pair comes once."""
    described = describe(mine)
    near, far = nearest(described, described if within else describe(theirs), NEIGHBOURS + within)  # itself is one
    # A description lies no farther from another than the pictures do (audit/descriptions.py), noise left out.
    contrast = np.maximum(np.sqrt(_variance(mine)), LEAST_CONTRAST)
    within_reach = far <= (REACH * MOST_DIFFERENT * np.sqrt(np.prod(mine.shape[1:3])) * contrast)[:, None]
    first, second = np.nonzero(within_reach)[0], near[within_reach]
    if not within:
        return first, second
    low, high = np.minimum(first, second), np.maximum(first, second)
    once = np.unique(low * len(mine) + high)
    low, high = once // len(mine), once % len(mine)
    return low[low != high], high[low != high]


def _compare(mine: Pictures, theirs: Pictures) -> tuple[NDArray[np.float64], list[Relation]]:
    """For each pair of pictures the distance in its best position, and which that is."""
    identical = (mine == theirs).reshape(len(mine), -1).all(axis=1)
    a, b = _softened(mine), _softened(theirs)
    contrast = np.sqrt(_variance(a) * _variance(b)) ** 0.5  # 0 if either is blank
    least, best = np.full(len(a), np.inf), np.zeros(len(a), np.intp)
    positions: list[Relation] = []
    ways: tuple[tuple[NDArray[np.float32], Relation, Relation], ...] = (
        (b, "alike", "shifted"),
        (b[:, :, ::-1], "mirrored", "mirrored and shifted"),
    )
    for other, still, moved in ways:
        for y, x in _SHIFTS:
            difference = a[:, _overlap(y), _overlap(x)] - other[:, _overlap(-y), _overlap(-x)]
            flat = difference.reshape(len(a), -1)
            squares = np.einsum("ij,ij->i", flat, flat) / flat.shape[1]
            better = squares < least
            least[better], best[better] = squares[better], len(positions)
            positions.append(moved if x or y else still)
    relations: list[Relation] = [
        "identical" if same else positions[position] for same, position in zip(identical, best, strict=True)
    ]
    return np.where(contrast > 0, np.sqrt(least) / np.maximum(contrast, LEAST_CONTRAST), np.inf), relations


def _softened(images: Pictures) -> NDArray[np.float32]:
    """(N, H, W) or (N, H, W, 3) -> (N, H-1, W-1, ...): each pixel and its neighbours' mean, which halves noise."""
    pixels = images.astype(np.float32)
    rows = (pixels[:, 1:] + pixels[:, :-1]) * np.float32(0.25)
    softened: NDArray[np.float32] = rows[:, :, 1:] + rows[:, :, :-1]
    return softened


def _variance(pixels: NDArray[Any]) -> NDArray[np.float64]:
    variance: NDArray[np.float64] = pixels.reshape(len(pixels), -1).var(axis=1, dtype=np.float64)
    return variance


def _overlap(shift: int) -> slice:
    return slice(shift, None) if shift >= 0 else slice(None, shift)
