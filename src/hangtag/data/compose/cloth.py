"""Colour for grey garments: Fashion-MNIST's and drawn ones, as if they had been photographed in colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hangtag.data.compose import Colour, Garment
from hangtag.data.compose.cut_outs import trimmed

ENLARGED = 196  # seven times Fashion-MNIST's 28 pixels


def cloth_colour(rng: Generator) -> Colour:
    """A colour that clothes have: often black, white, grey, navy or beige, else any."""
    kind = rng.random()
    if kind < 0.22:
        return rng.uniform(0.04, 0.25) + rng.normal(0, 0.015, 3)
    if kind < 0.36:
        light = rng.uniform(0.75, 0.97)
        return np.array([light, light, light * rng.uniform(0.9, 1)])
    if kind < 0.46:
        return np.full(3, rng.uniform(0.3, 0.7))
    if kind < 0.58:
        return np.array([0.1, 0.13, 0.28]) * rng.uniform(0.6, 2)
    if kind < 0.66:
        return np.array([0.75, 0.62, 0.45]) * rng.uniform(0.5, 1.2)
    hue, saturation, value = rng.random() * 360, rng.uniform(0.2, 0.95), rng.uniform(0.25, 0.95)
    rgb = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.float32), cv2.COLOR_HSV2RGB)
    made: Colour = rgb[0, 0].astype(np.float64)
    return made


def coloured(grey: NDArray[np.uint8], rng: Generator) -> Garment:
    """A garment from a grey image (S, S) that is light on black, as Fashion-MNIST's are.

    Half of the time the lightness is kept, half of the time it is turned round: the images were negated when they were
    made, so dark garments are light in them.
    """
    image = grey.astype(np.float32) / 255
    if len(image) < ENLARGED:
        image = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 2.2))
    there = cv2.morphologyEx((image > 0.06).astype(np.float32), cv2.MORPH_CLOSE, np.ones((5, 5)))
    opacity = np.clip((cv2.GaussianBlur(there, (0, 0), 1.5) - 0.3) / 0.4, 0, 1)
    lightness = image if rng.random() < 0.5 else 1 - image
    inside = lightness[opacity > 0.5]
    detail = lightness - (np.median(inside) if inside.size else 0.5)
    shade = (detail * rng.uniform(0.5, 1.1))[..., None]
    rgb = np.clip(cloth_colour(rng) * (1 + 1.2 * shade) + 0.25 * shade, 0, 1)
    if rng.random() < 0.2:  # a print of a second colour
        share = np.clip(detail * rng.uniform(2, 6) + 0.5, 0, 1)[..., None]
        rgb = rgb * (1 - share) + cloth_colour(rng) * share * rng.uniform(0.8, 1)
    if rng.random() < 0.6:  # threads
        threads = rng.normal(0, 1, image.shape).astype(np.float32)
        rgb = rgb + cv2.GaussianBlur(threads, (0, 0), rng.uniform(0.6, 2))[..., None] * rng.uniform(0.01, 0.06)
    return trimmed(np.dstack([np.clip(rgb, 0, 1), opacity]).astype(np.float32))
