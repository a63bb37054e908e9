"""One photo laid over another although it was cropped: four numbers for each pair, found by least squares.

Source: Lucas, Kanade 1981, "An Iterative Image Registration Technique with an Application to Stereo Vision", with scale
and shift along each axis for its shift, and both images normalised over what they share, so that brightness and
contrast do not count.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.float32]
"""(P, n, n): one square grey image of each pair."""
Placing: TypeAlias = NDArray[np.float32]
"""(P, 4): scale and shift across, scale and shift down. The point x in [-1, 1] of the first lies at scale * x + shift
of the second."""

_DAMPING = 0.01  # of the mean squared gradient: a plain image, which fits everywhere, stays where it is
_SCALES, _SHIFTS = (0.7, 1.4), (-0.35, 0.35)  # what is farther off is no slight crop


def unplaced(count: int) -> Placing:
    """`count` pairs laid over each other as they are."""
    return np.tile(np.array([1, 0, 1, 0], np.float32), (count, 1))


def align(first: Grey, second: Grey, placing: Placing, steps: int) -> Placing:
    """The placing of `second` after `steps` steps of Gauss and Newton from the one given."""
    side = first.shape[1]
    axis = _axis(side)
    for _ in range(steps):
        moved, shared = sampled(second, placing)
        shared[:, [0, -1]] = shared[:, :, [0, -1]] = False  # there gradients are one-sided
        wanted, found = normalised(first, shared), normalised(moved, shared)
        across, down = np.zeros_like(found), np.zeros_like(found)
        across[:, :, 1:-1] = (found[:, :, 2:] - found[:, :, :-2]) * (side / 4)
        down[:, 1:-1] = (found[:, 2:] - found[:, :-2]) * (side / 4)
        slopes = np.stack([across * axis, across, down * axis[:, None], down], axis=1) * shared[:, None]
        slopes = slopes.reshape(len(first), 4, side * side)
        rest = (wanted - found).reshape(len(first), side * side, 1)
        normal = slopes @ slopes.transpose(0, 2, 1) + np.eye(4, dtype=np.float32) * (_DAMPING * side * side)
        step = np.linalg.solve(normal, slopes @ rest)[..., 0]
        scales, shifts = placing[:, ::2], placing[:, 1::2]
        placing = placing.copy()
        placing[:, 1::2] = np.clip(shifts + scales * step[:, 1::2], *_SHIFTS)
        placing[:, ::2] = np.clip(scales * (1 + step[:, ::2]), *_SCALES)
    return placing


def sampled(images: Grey, placing: Placing) -> tuple[Grey, NDArray[np.bool_]]:
    """The second images as they lie over the first, (P, n, n), and where they do lie there."""
    side = images.shape[1]

    def places(scale: Grey, shift: Grey) -> tuple[NDArray[np.intp], Grey, NDArray[np.bool_]]:
        pixels = (scale[:, None] * _axis(side) + shift[:, None] + 1) * (side / 2) - 0.5  # (P, n)
        inside = (pixels >= -0.5) & (pixels <= side - 0.5)
        pixels = np.clip(pixels, 0, side - 1)
        whole = np.minimum(pixels.astype(np.intp), side - 2)
        return whole, (pixels - whole).astype(np.float32), inside

    x, right, inside_x = places(placing[:, 0], placing[:, 1])
    y, lower, inside_y = places(placing[:, 2], placing[:, 3])
    pair = np.arange(len(images))[:, None]
    rows = images[pair, y] * (1 - lower)[..., None] + images[pair, y + 1] * lower[..., None]
    columns = np.broadcast_to(x[:, None], rows.shape)
    left = np.take_along_axis(rows, columns, axis=2) * (1 - right)[:, None]
    found: Any = left + np.take_along_axis(rows, columns + 1, axis=2) * right[:, None]
    return found, inside_y[..., None] & inside_x[:, None]


def normalised(images: Grey, shared: NDArray[np.bool_]) -> Grey:
    """Mean 0 and standard deviation 1 over what is shared, 0 elsewhere; a plain image is 0 everywhere."""
    weight = shared.astype(np.float32)
    count = np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1)
    centred = (images - (images * weight).sum(axis=(1, 2), keepdims=True) / count) * weight
    deviation = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True) / count)
    found: Grey = centred / np.maximum(deviation, 1e-3)
    return found


def correlation(first: Grey, second: Grey, shared: NDArray[np.bool_]) -> NDArray[Any]:
    """(P,) in [-1, 1]: how alike two images are over what they share, whatever their brightness and contrast."""
    product = normalised(first, shared) * normalised(second, shared)
    found: NDArray[Any] = product.sum(axis=(1, 2)) / np.maximum(shared.sum(axis=(1, 2)), 1)
    return found


def softened(images: NDArray[Any]) -> Grey:
    """Each pixel with its neighbours, 1 2 1 along both axes."""
    found: Any = images.astype(np.float32)
    for axis in (1, 2):
        pad = [(0, 0)] * found.ndim
        pad[axis] = (1, 1)
        wide = np.pad(found, pad, mode="edge")
        inner = [slice(None)] * found.ndim
        inner[axis] = slice(1, -1)
        low, high = list(inner), list(inner)
        low[axis], high[axis] = slice(None, -2), slice(2, None)
        found = (wide[tuple(low)] + wide[tuple(high)]) * np.float32(0.25) + wide[tuple(inner)] * np.float32(0.5)
    softer: Grey = found
    return softer


def pooled(images: NDArray[Any], factor: int) -> Grey:
    """(P, n, n) to (P, n / factor, n / factor), each pixel the mean of those it covers."""
    count, side, _ = images.shape
    found: Grey = images.reshape(count, side // factor, factor, side // factor, factor).mean(
        axis=(2, 4), dtype=np.float32
    )
    return found


def _axis(side: int) -> Grey:
    axis: Grey = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side) * 2 - 1
    return axis
