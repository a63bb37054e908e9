"""What cameras, files and hands do to an image: crops, turns, light, colour, blur, small files, things in the way."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hangtag.data.compose import Canvas
from hangtag.data.compose.cloth import cloth_colour
from hangtag.data.compose.scenes import unevenness
from hangtag.preprocess.decode import Picture
from hangtag.preprocess.photo import convert


def view(photo: NDArray[np.uint8], rng: Generator, side: int) -> Canvas:
    """A photo (H, W, 3) as another person might have taken it: cropped, mirrored, turned a little or a quarter."""
    if rng.random() < 0.75:
        photo = _cropped(photo, rng)
    if rng.random() < 0.5:
        square = convert(Picture(photo), side, colour=True)  # as it is served
    else:
        square = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        square = square[:, ::-1]
    if rng.random() < 0.5:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-20, 20), 1)
        square = cv2.warpAffine(np.ascontiguousarray(square), turn, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    if rng.random() < 0.08:
        square = np.rot90(square, int(rng.integers(1, 4)))
    return np.ascontiguousarray(square).astype(np.float32) / 255


def taken(canvas: Canvas, rng: Generator) -> NDArray[np.uint8]:
    """(S, S, 3) uint8: the scene in another light, by another camera, in another file, sometimes partly hidden."""
    side = len(canvas)
    canvas = np.clip(canvas, 0, 1)
    if rng.random() < 0.7:
        canvas = np.clip((canvas - 0.5) * rng.uniform(0.75, 1.3) + 0.5 + rng.normal(0, 0.05), 0, 1)
    if rng.random() < 0.6:
        grey = canvas.mean(axis=2, keepdims=True)
        canvas = grey + (canvas - grey) * rng.uniform(0.4, 1.5)
    if rng.random() < 0.4:
        canvas = canvas * (1 + rng.normal(0, 0.05, 3))
    if rng.random() < 0.06:
        canvas = np.repeat(canvas.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.3:
        canvas = canvas + unevenness(rng, 3, (side, side), 0.05)[..., None]
    canvas = _unsharp(canvas.astype(np.float32), rng)
    if rng.random() < 0.2:
        canvas = canvas + rng.normal(0, rng.uniform(0.005, 0.03), canvas.shape)
    image = as_image(canvas)
    if rng.random() < 0.4:
        _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 92))])
        image = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)
    if rng.random() < 0.2:
        height, width = (int(side * share) for share in rng.uniform(0.12, 0.35, 2))
        top, left = int(rng.integers(0, side - height)), int(rng.integers(0, side - width))
        image[top : top + height, left : left + width] = np.clip(cloth_colour(rng), 0, 1) * 255
    return image


def closer(canvas: Canvas, rng: Generator) -> Canvas:
    """A part of three quarters or more of the scene's side, enlarged."""
    side = len(canvas)
    part = int(side * rng.uniform(0.75, 0.98))
    top, left = (int(start) for start in rng.integers(0, side - part + 1, 2))
    made: Canvas = cv2.resize(canvas[top : top + part, left : left + part], (side, side)).astype(np.float32)
    return made


def as_image(canvas: Canvas) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of a scene in [0, 1]; what lies beyond is cut off."""
    image: NDArray[np.uint8] = (np.clip(canvas, 0, 1) * 255).astype(np.uint8)
    return image


def _cropped(photo: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """45 to 100% of the photo's area, of another shape (Szegedy et al. 2014, arXiv 1409.4842, with milder limits)."""
    height, width = photo.shape[:2]
    for _ in range(8):
        area = height * width * rng.uniform(0.45, 1)
        shape = np.exp(rng.uniform(-0.35, 0.35)) * width / height
        tall, wide = int((area / shape) ** 0.5), int((area * shape) ** 0.5)
        if tall <= height and wide <= width:
            top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
            return photo[top : top + tall, left : left + wide]
    return photo


def _unsharp(canvas: Canvas, rng: Generator) -> Canvas:
    kind, side = rng.random(), len(canvas)
    made: Canvas = canvas
    if kind < 0.15:
        made = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 2))
    elif kind < 0.35:  # a shop's thumbnail, enlarged
        few = int(rng.integers(side // 4, side * 5 // 7))
        thumbnail = cv2.resize(canvas, (few, few), interpolation=cv2.INTER_AREA)
        made = cv2.resize(thumbnail, (side, side), interpolation=cv2.INTER_LINEAR)
    return made
