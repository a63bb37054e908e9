"""A few numbers per picture that neither shifting nor mirroring changes, and whose neighbours are near whose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hangtag.core.types import Pictures

SIDE = 32  # pixels: larger pictures are reduced to this
FREQUENCIES = 6  # along each axis: what is finer than a fifth of the picture does not count
DIMENSIONS = 32  # principal components searched in
MARGIN = 4  # pixels, so that what is shifted out does not come in again opposite
_STEP = 1024  # pictures at a time
_BLOCK = 128  # columns
_QUERIES = 128  # pictures at a time: 128 x 70,000 distances are 36 MB


def reduced(images: Pictures) -> Pictures:
    """Pictures of at most SIDE pixels a side, as they are if they are that small already."""
    height, width = images.shape[1:3]
    if max(height, width) <= SIDE or not len(images):
        return images
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.stack([np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in images])


def describe(images: Pictures) -> NDArray[np.float32]:
    """(N, H, W) or (N, H, W, 3) uint8 -> (N, 2 FREQUENCIES²), equal for a picture, shifted, and its mirror image.

    Amplitudes of the lowest frequencies: shifting changes phases only. Mirroring exchanges frequencies (u, v) and
    (u, -v): of each such pair, sum and absolute difference are kept. On an empty ground two pictures' descriptions are
    never farther apart than the pictures laid over each other as well as may be (root of the sum of squared pixels).
    """
    weights = np.ones((FREQUENCIES, FREQUENCIES))  # (u, v) and (-u, -v), of equal amplitude, are described once
    weights[0] = weights[:, 0] = np.sqrt(1 / 2)  # on the axes, (u, v) and (u, -v) are those two already
    weights[0, 0] = 1 / 2  # and in the middle all are one
    parts = [np.zeros((0, 2 * FREQUENCIES**2), np.float32)]
    for start in range(0, len(images), _STEP):
        pixels = reduced(images[start : start + _STEP]).astype(np.float32)
        grey = pixels.mean(axis=3) if pixels.ndim == 4 else pixels
        canvas = [max(side + MARGIN, 2 * FREQUENCIES) for side in grey.shape[1:]]
        amplitudes = np.abs(np.fft.rfft2(grey, s=canvas, norm="ortho"))  # (n, H', W'/2 + 1)
        down = amplitudes[:, :FREQUENCIES, :FREQUENCIES]
        up = amplitudes[:, -np.arange(FREQUENCIES), :FREQUENCIES]
        pairs = np.stack([down + up, np.abs(down - up)], axis=1) * weights
        parts.append(pairs.reshape(len(grey), -1).astype(np.float32))
    return np.concatenate(parts)


def nearest(wanted: NDArray[Any], known: NDArray[Any], count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each of `wanted` its nearest of `known`, in no order: (N, count) indices and distances.

    Args:
        wanted: (N, D) descriptions.
        known: (M, D) descriptions, M > 0; where M is below `count`, all are given.
        count: how many.
    """
    centre = known.mean(axis=0)
    centred = known - centre
    axes = np.linalg.eigh(centred.T @ centred)[1][:, -DIMENSIONS:].astype(np.float32)
    rows, columns = (wanted - centre) @ axes, centred @ axes
    halves = (columns**2).sum(axis=1) / 2
    count = min(count, len(known))
    indices, distances = [np.zeros((0, count), np.intp)], [np.zeros((0, count))]
    for start in range(0, len(rows), _QUERIES):
        some = rows[start : start + _QUERIES]
        half = halves - some @ columns.T  # half the squared distance, less what a row shares
        near = _smallest(half, count)
        own = (some**2).sum(axis=1, dtype=np.float64)[:, None]
        indices.append(near)
        distances.append(np.sqrt(np.maximum(own + 2.0 * np.take_along_axis(half, near, axis=1), 0)))
    return np.concatenate(indices), np.concatenate(distances)


def _smallest(values: NDArray[Any], count: int) -> NDArray[np.intp]:
    """(N, count) columns of each row's smallest values, in no order; (N, M) with M >= count.

    They lie in the `count` blocks of columns with the smallest minima: taking minima reads memory once, where parting
    60,000 columns took twenty times as long.
    """
    n, columns = values.shape
    blocks = columns // _BLOCK
    if blocks <= count:
        return np.argpartition(values, count - 1, axis=1)[:, :count].copy()  # a view would keep all of it
    whole = blocks * _BLOCK
    minima = values[:, :whole].reshape(n, blocks, _BLOCK).min(axis=2)
    starts = np.argpartition(minima, count - 1, axis=1)[:, :count] * _BLOCK
    inside = (starts[:, :, None] + np.arange(_BLOCK)).reshape(n, -1)
    rest = np.broadcast_to(np.arange(whole, columns), (n, columns - whole))
    places = np.concatenate([inside, rest], axis=1)
    chosen = np.argpartition(np.take_along_axis(values, places, axis=1), count - 1, axis=1)[:, :count]
    return np.take_along_axis(places, chosen, axis=1)
