"""Histograms of oriented gradients without an arctangent, so that NumPy and ONNX compute the very same thing.

Source: Dalal and Triggs 2005, "Histograms of Oriented Gradients for Human Detection". Departure: a gradient of angle a
votes for direction b with max(0, |cos(a - b)| - cos(spacing)) in place of a triangle in a - b: same support, no angle
needed, and no edge at which rounding moves a vote.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

STEP = 500  # pictures at a time: 500 x 8 x 28 x 28 floats are 13 MB
EPSILON = 1e-2  # keeps the noise of an empty block from being blown up to full length
CLIP = 0.2


class HOG(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Rows of pixels -> rows of features: blocks of 2 x 2 cells, each cell a histogram over the directions.

    Args:
        directions: of a line, so over half a turn.
        cell: pixels along a side of a cell; a pixel votes in the cells around it, the nearer the more.
    """

    def __init__(self, directions: int = 8, cell: int = 4) -> None:
        self.directions = directions
        self.cell = cell

    def fit(self, X: NDArray[Any], y: Any = None) -> HOG:  # noqa: N803
        """X is (N, size*size) or (N, size*size*3)."""
        self.shape_ = picture_shape(X.shape[1])
        if self.directions < 2 or self.cell < 2 or self.shape_[0] < 3 * self.cell:
            raise ValueError(
                f"{self.directions} directions in cells of {self.cell} pixels do not fit pictures of {self.shape_[0]}: "
                "want at least 2 directions, cells of 2 pixels, and 3 cells along a side"
            )
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[np.float32]:  # noqa: N803
        """(N, pixels) in [0, 1] -> (N, 4 * directions * blocks) in [0, 1]."""
        parts = [self._transform(X[start : start + STEP]) for start in range(0, max(1, len(X)), STEP)]
        features: NDArray[np.float32] = np.concatenate(parts)
        return features

    def direction_vectors(self) -> NDArray[np.float32]:
        """(directions, 2): x and y of a unit vector each."""
        angles = np.arange(self.directions) * np.pi / self.directions
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def threshold(self) -> float:
        """Cosine of the angle between neighbouring directions: where a vote falls to nothing."""
        return float(np.cos(np.pi / self.directions))

    def pooling(self) -> NDArray[np.float32]:
        """(2 cell, 2 cell) weights of the pixels around a cell's centre, falling off linearly; their sum is 1."""
        ramp = 1 - np.abs(np.arange(2 * self.cell) + 0.5 - self.cell) / self.cell
        window: NDArray[np.float32] = (np.outer(ramp, ramp) / ramp.sum() ** 2).astype(np.float32)
        return window

    def _transform(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        images = np.asarray(rows, np.float32).reshape(-1, *self.shape_)
        if images.ndim == 4:
            images = images.mean(axis=3)
        n = len(images)
        edged = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
        across = edged[:, 1:-1, 2:] - edged[:, 1:-1, :-2]
        down = edged[:, 2:, 1:-1] - edged[:, :-2, 1:-1]
        vectors = self.direction_vectors()[:, :, None, None]
        along = np.abs(across[:, None] * vectors[:, 0] + down[:, None] * vectors[:, 1])  # (n, directions, H, W)
        votes = np.maximum(along - self.threshold() * np.sqrt(across**2 + down**2)[:, None], 0).astype(np.float32)
        margin = self.cell // 2  # so that the outermost cells lie within the picture: garments fill it to its edge
        votes = np.pad(votes, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        windows = np.lib.stride_tricks.sliding_window_view(votes, (2 * self.cell,) * 2, axis=(2, 3))
        cells = np.einsum("ndhwij,ij->ndhw", windows[:, :, :: self.cell, :: self.cell], self.pooling())  # 28 -> 7
        corners = (cells[:, :, :-1, :-1], cells[:, :, :-1, 1:], cells[:, :, 1:, :-1], cells[:, :, 1:, 1:])
        blocks = np.concatenate(corners, axis=1)  # (n, 4 directions, 6, 6)
        blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + EPSILON**2), CLIP)
        blocks /= np.sqrt((blocks**2).sum(axis=1, keepdims=True) + EPSILON**2)
        features: NDArray[np.float32] = blocks.reshape(n, -1)
        return features


def picture_shape(pixels: int) -> tuple[int, ...]:
    """(size, size) or (size, size, 3): 3 * size² is never a square, so the number of values tells."""
    size = round(pixels**0.5)
    if size * size == pixels:
        return (size, size)
    size = round((pixels / 3) ** 0.5)
    if 3 * size * size != pixels:
        raise ValueError(f"{pixels} values are no square picture, grey or RGB")
    return (size, size, 3)
