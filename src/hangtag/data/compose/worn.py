"""A garment on a drawn person, framed as shops frame it: head to hips, from the neck down, or head to foot.

Widths and heights are shares of the garment's own box, or of the canvas's side. Which class a garment has decides what
else there is: legs below a T-shirt, somebody's T-shirt above trousers, a leg in a shoe, a person beside a bag.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from hangtag.data.clothing import OTHER
from hangtag.data.compose import Canvas, Colour, Garment
from hangtag.data.compose.cloth import cloth_colour
from hangtag.data.compose.people import fill, hair_colour, head, limb, skin_colour
from hangtag.data.compose.scenes import paste
from hangtag.data.sets.fashion_mnist import CLASS_NAMES

T_SHIRT, TROUSER, PULLOVER, DRESS, COAT, SANDAL, SHIRT, SNEAKER, BAG, BOOT = range(len(CLASS_NAMES))
_SIDES = (-1, 1)


def worn(label: int, garment: Garment, rng: Generator, canvas: Canvas, another: Callable[[int], Garment]) -> Canvas:
    """Draw a person who wears the garment of this class on the canvas.

    Args:
        label: 0 to 9, or `OTHER`.
        garment: what is worn.
        rng: decides everything else.
        canvas: an empty scene; it is drawn on.
        another: gives a garment of the class asked for, for what else is worn.
    """
    if label in (SANDAL, SNEAKER, BOOT):
        return _shoe(garment, rng, canvas)
    if label == BAG:
        return _bag(garment, rng, canvas, another)
    if label in (TROUSER, OTHER):  # shorts and skirts are worn as trousers are
        return _lower(label, garment, rng, canvas, another)
    return _upper(label, garment, rng, canvas, another)


def _shoe(garment: Garment, rng: Generator, canvas: Canvas) -> Canvas:
    side = len(canvas)
    shape = garment.shape[1] / garment.shape[0]
    width = min(side * rng.uniform(0.3, 0.5) * shape, side * 0.9)
    height, top = width / shape, side * rng.uniform(0.45, 0.62)
    middle = side / 2 + rng.normal(0, 0.03) * side
    x = middle + rng.choice(_SIDES) * width * 0.2
    leg = skin_colour(rng) if rng.random() < 0.6 else cloth_colour(rng)
    widths = (width * 0.17, width * 0.13)
    limb(canvas, (x + rng.normal(0, 0.05) * side, -10), (x, top + height * 0.35), widths, leg, rng)
    paste(canvas, garment, middle, top, height, width)
    return canvas


def _bag(garment: Garment, rng: Generator, canvas: Canvas, another: Callable[[int], Garment]) -> Canvas:
    side = len(canvas)
    shape = garment.shape[1] / garment.shape[0]
    height, top = side * rng.uniform(0.3, 0.5), side * rng.uniform(0.4, 0.55)
    width, middle = min(height * shape, side * 0.6), side / 2 + rng.normal(0, 0.03) * side
    hand = middle + rng.choice(_SIDES) * side * 0.15
    skin = skin_colour(rng)
    paste(canvas, another(T_SHIRT), middle, side * 0.1, side * 0.5, side * 0.5)
    if rng.random() < 0.7:
        paste(canvas, another(TROUSER), middle, side * 0.52, side * 0.6, side * 0.3)
    head(canvas, middle, side * 0.12, side * 0.2, skin, hair_colour(rng), rng)
    limb(canvas, (hand, side * 0.2), (hand, top + height * 0.1), (side * 0.04, side * 0.03), skin, rng)
    paste(canvas, garment, hand, top, height, width)
    return canvas


def _lower(label: int, garment: Garment, rng: Generator, canvas: Canvas, another: Callable[[int], Garment]) -> Canvas:
    side, skin = len(canvas), skin_colour(rng)
    shape = garment.shape[1] / garment.shape[0]
    middle, top = side / 2 + rng.normal(0, 0.03) * side, side * rng.uniform(0.12, 0.35)
    height = side * rng.uniform(0.55, 0.8)
    width = height * min(shape, rng.uniform(0.4, 0.6))
    if label == OTHER:
        height *= 0.6
        width = height * min(shape, 1.1)
    hem = top + height
    shin = side * (0.05 if label == TROUSER else 0.4)
    for way in _SIDES:
        foot = (middle + way * width * 0.26, hem + shin)
        limb(canvas, (middle + way * width * 0.22, hem - height * 0.15), foot, (width * 0.1, width * 0.075), skin, rng)
    if rng.random() < 0.6:
        for way in _SIDES:
            shoe = [(0.18, 0.0), (0.4, 0.045), (0.15, 0.05)]
            fill(canvas, [(middle + way * width * x, hem + side * y) for x, y in shoe], cloth_colour(rng), rng)
    paste(canvas, garment, middle, top, height, width)
    above = another(int(rng.choice([T_SHIRT, T_SHIRT, PULLOVER, SHIRT])))
    wide = width * rng.uniform(1.1, 1.5)
    tall = wide * rng.uniform(0.9, 1.15)
    for way in _SIDES:
        arm = (wide * 0.09, wide * 0.06)
        shoulder = (middle + way * wide * 0.42, top - tall * 0.55)
        limb(canvas, shoulder, (middle + way * wide * 0.5, top + side * 0.12), arm, skin, rng)
    head(canvas, middle, top - tall * 0.82, wide * 0.45, skin, hair_colour(rng), rng)
    paste(canvas, above, middle, top - tall * 0.85, tall, wide)
    return canvas


def _upper(label: int, garment: Garment, rng: Generator, canvas: Canvas, another: Callable[[int], Garment]) -> Canvas:
    side, skin = len(canvas), skin_colour(rng)
    shape = garment.shape[1] / garment.shape[0]
    middle = side / 2 + rng.normal(0, 0.03) * side
    whole = rng.random() < 0.3  # head to foot
    sizes = ((0.42, 0.6) if whole else (0.5, 0.72)) if label == DRESS else ((0.3, 0.42) if whole else (0.5, 0.8))
    height = side * rng.uniform(*sizes) * (rng.uniform(0.95, 1.15) if label == COAT and not whole else 1)
    slim = (0.4, 0.75) if label == DRESS else (0.75, 1.05)
    width = max(min(height * shape, height * rng.uniform(*slim)), height * 0.35)
    top = side * (rng.uniform(0.12, 0.2) if whole else rng.uniform(0.16, 0.26))
    if not whole and rng.random() < 0.45:
        top = side * rng.uniform(-0.02, 0.1)  # the head is cut off
    _legs(label, canvas, rng, another, skin, (middle, top + height, height, width * 0.61))
    heads = (0.2, 0.27) if label == DRESS else (0.3, 0.4)
    chin = top - height * rng.uniform(-0.01, 0.05)
    head(canvas, middle, chin, height * rng.uniform(*heads), skin, hair_colour(rng), rng)
    before = label in (T_SHIRT, DRESS) and rng.random() < 0.3  # arms in front of the garment
    if before:
        paste(canvas, garment, middle, top, height, width)
    _arms(label, garment, canvas, rng, skin, (middle, top, height, width))
    if not before:
        paste(canvas, garment, middle, top, height, width)
    return canvas


def _legs(
    label: int,
    canvas: Canvas,
    rng: Generator,
    another: Callable[[int], Garment],
    colour: Colour,
    box: tuple[float, float, float, float],
) -> None:
    """Bare, in somebody's trousers, or in drawn ones; they begin well above the hem, behind what is pasted later."""
    x, hip, height, torso = box
    if label == DRESS or rng.random() < 0.12:
        for way in _SIDES:
            foot = (x + way * torso * 0.2, hip + len(canvas) * 0.5)
            limb(canvas, (x + way * torso * 0.22, hip - height * 0.25), foot, (torso * 0.17, torso * 0.1), colour, rng)
    elif rng.random() < 0.6:
        top, tall = hip - height * rng.uniform(0.1, 0.3), height * rng.uniform(1.2, 1.6)
        paste(canvas, another(TROUSER), x, top, tall, torso * rng.uniform(0.95, 1.25))
    else:
        cloth = cloth_colour(rng)
        hips = [(-0.5, -0.25), (0.5, -0.25), (0.52, 0.2), (-0.52, 0.2)]
        fill(canvas, [(x + torso * across, hip + height * down) for across, down in hips], cloth, rng)
        for way in _SIDES:
            knee, foot = (x + way * torso * 0.25, hip + height * 0.05), (x + way * torso * 0.24, hip + height * 1.2)
            limb(canvas, knee, foot, (torso * 0.24, torso * 0.15), cloth, rng)


def _arms(
    label: int,
    garment: Garment,
    canvas: Canvas,
    rng: Generator,
    skin: Colour,
    box: tuple[float, float, float, float],
) -> None:
    """Arms out of the sleeves of a T-shirt or dress, hands out of long ones."""
    x, top, height, width = box
    short = label in (T_SHIRT, DRESS)
    arm = height * (0.035 if label == DRESS else 0.05)
    for (across, down), way in zip(_sleeve_ends(garment, 0.5 if short else 0.95), _SIDES, strict=True):
        ax, ay = x + (across - 0.5) * width - way * arm * 0.8, top + down * height
        if not short:
            hand = (ax + rng.normal(0, 0.01) * height, ay + height * 0.07)
            limb(canvas, (ax, ay - arm * 0.5), hand, (arm * 0.75, arm * 0.6), skin, rng)
            continue
        length = height * (rng.uniform(0.3, 0.5) if label == DRESS else rng.uniform(0.45, 0.75))
        if rng.random() < 0.25:  # bent, the hand before the body
            elbow = (ax + way * height * 0.08, ay + length * 0.5)
            limb(canvas, (ax, ay - arm), elbow, (arm * 1.15, arm * 0.95), skin, rng)
            limb(canvas, elbow, (x + way * width * 0.18, ay + length * 0.85), (arm * 0.95, arm * 0.75), skin, rng)
        else:
            hand = (ax + rng.normal(0, 0.018) * height + way * height * 0.02, ay + length)
            limb(canvas, (ax, ay - arm), hand, (arm * 1.15, arm * 0.75), skin, rng)


def _sleeve_ends(garment: Garment, lowest: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the garment reaches farthest to the left and to the right, as shares of its box, above `lowest`."""
    there = garment[..., 3] > 0.5
    height, width = there.shape
    first = int(0.08 * height)
    band = there[first : max(int(lowest * height), first + 1)]
    columns = np.flatnonzero(band.any(axis=0))
    if not len(columns):
        return (0.0, 0.3), (1.0, 0.3)
    ends = []
    for column, inner in ((columns[0], min(columns[0] + 2, width - 1)), (columns[-1], max(columns[-1] - 2, 0))):
        rows = np.flatnonzero(band[:, inner])
        ends.append((column / width, (first + (rows.mean() if len(rows) else 0)) / height))
    return ends[0], ends[1]
