"""Composing training images: which class, made of what, in which scene."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hangtag.core.files import read_regular, write_file
from hangtag.core.hardware import cores
from hangtag.core.paths import cache_folder
from hangtag.core.types import Labels, Pictures, Split
from hangtag.data import clothing
from hangtag.data.clothing import OTHER, ClothingPhoto
from hangtag.data.compose import Canvas, Garment
from hangtag.data.compose.camera import as_image, closer, taken, view
from hangtag.data.compose.cloth import coloured
from hangtag.data.compose.cut_outs import SIDE as MASK_SIDE
from hangtag.data.compose.cut_outs import cut_out, find_mask, is_usable
from hangtag.data.compose.non_products import non_product
from hangtag.data.compose.scenes import background, rotated, unworn
from hangtag.data.compose.worn import BAG, BOOT, SANDAL, SNEAKER, worn
from hangtag.data.download import Progress
from hangtag.data.sets import drawn
from hangtag.data.sets.fashion_mnist import fashion_mnist
from hangtag.data.split import training_and_validation
from hangtag.preprocess.decode import Picture, decode
from hangtag.preprocess.photo import convert

SIDE, PHOTO_SIDE = 224, 256
CLASSES = OTHER + 1
# How often each class comes: more often what is hardest to tell apart.
WEIGHTS = np.array([1.0, 0.9, 1.1, 1.0, 1.1, 0.8, 1.2, 0.8, 0.8, 0.8, 1.5])
# What the images of a class are made of, and how often. "laid" and "worn" are cut-outs, "coloured" is Fashion-MNIST.
_UPPER = {"photo": 0.33, "laid": 0.13, "worn": 0.30, "coloured": 0.11, "coloured worn": 0.08, "drawn": 0.05}
_SHOE = {"photo": 0.32, "laid": 0.20, "worn": 0.08, "coloured": 0.26, "coloured worn": 0.05, "drawn": 0.09}
_BAG = {"coloured": 0.55, "coloured worn": 0.15, "drawn": 0.30}  # no photo of the collection shows one
_NONE = {"photo": 0.40, "laid": 0.10, "worn": 0.12, "nothing": 0.38}
_MIXTURES = dict.fromkeys(range(CLASSES), _UPPER) | {BAG: _BAG, OTHER: _NONE}
_MIXTURES |= dict.fromkeys((SANDAL, SNEAKER, BOOT), _SHOE)
_WITHOUT_PHOTOS = {"laid": "coloured", "worn": "coloured worn"}
_HELD_OUT_KINDS = ("laid", "worn", "coloured", "coloured worn")
_FIFTH = 2  # senders whose number leaves this when divided by five are held out: 22% of the photos
_DRAWN, _DRAWN_SIDE, _DRAWN_SEED = 2_000, 112, 77


class Composer:
    """Composes images of photos, their cut-outs, Fashion-MNIST and drawn garments.

    Args:
        photos: RGB photos (H, W, 3).
        labels: of the photos, 0 to 9 or `OTHER`.
        masks: where the garments are in them, see `cut_outs.find_mask`.
        grey: garments that are light on black, of the ten classes.
        drawn_garments: drawn ones, of which `held_out` needs none.
    """

    def __init__(
        self,
        photos: list[NDArray[np.uint8]],
        labels: NDArray[np.int64],
        masks: list[NDArray[np.bool_]],
        grey: Split,
        drawn_garments: Split,
    ) -> None:
        self.photos, self.labels, self.masks = photos, labels, masks
        usable = np.array([is_usable(mask) for mask in masks])
        self._photos_of = [np.flatnonzero(labels == label) for label in range(CLASSES)]
        self._cut_outs_of = [np.flatnonzero((labels == label) & usable) for label in range(CLASSES)]
        self._grey, self._grey_of = grey, [np.flatnonzero(grey.labels == label) for label in range(OTHER)]
        self._drawn, self._drawn_of = drawn_garments, [np.flatnonzero(drawn_garments.labels == i) for i in range(OTHER)]

    @classmethod
    def opened(cls, path: Path | None, held_out: bool, progress: Progress) -> Composer:
        """With the photos and Fashion-MNIST images that are trained on, or with those that are held out.

        Raises:
            HangtagError: `data_*`, `storage_*` where they cannot be found or fetched.
        """
        root = clothing.located(path, progress)
        chosen = [photo for photo in clothing.listed() if (photo.sender % 5 == _FIFTH) == held_out]
        photos = [_read(root / photo.path) for photo in chosen]
        published = fashion_mnist(path, 28, False, progress)
        training, validation = training_and_validation(published)
        garments = drawn.pictures(0 if held_out else _DRAWN, _DRAWN_SEED, _DRAWN_SIDE, progress=progress)
        labels = np.array([photo.label for photo in chosen])
        return cls(photos, labels, _masks(chosen, photos, progress), validation if held_out else training, garments)

    def compose(self, n: int, seed: int, progress: Progress) -> tuple[Pictures, Labels]:
        """`n` images (n, 224, 224, 3) with their labels. A larger `n` begins with the same images."""
        labels = np.empty(n, np.int64)
        images = np.empty((n, SIDE, SIDE, 3), np.uint8)

        def fill(i: int) -> None:
            rng = np.random.default_rng([seed, i])
            labels[i] = rng.choice(CLASSES, p=WEIGHTS / WEIGHTS.sum())
            images[i] = self.image(int(labels[i]), rng)

        _in_threads(fill, n, "composing images", progress)
        return images, labels

    def held_out(self, of_each: int, seed: int, progress: Progress) -> tuple[Pictures, Labels]:
        """The photos as they are served, and `of_each` composed images of each kind and class, as they were drawn."""
        labels = [np.repeat(np.arange(OTHER), of_each) for _ in _HELD_OUT_KINDS] + [np.full(9 * of_each, OTHER)]
        kinds = [kind for kind in (*_HELD_OUT_KINDS, "nothing") for _ in labels[0]][: sum(map(len, labels))]
        composed = np.concatenate(labels)
        made = np.empty((len(composed), SIDE, SIDE, 3), np.uint8)

        def fill(i: int) -> None:
            rng = np.random.default_rng([seed, i])
            kind = _WITHOUT_PHOTOS.get(kinds[i], kinds[i]) if composed[i] == BAG else kinds[i]
            made[i] = as_image(self._scene(int(composed[i]), kind, rng))

        _in_threads(fill, len(composed), "composing validation images", progress)
        served = np.stack([convert(Picture(photo), SIDE, colour=True) for photo in self.photos])
        return np.concatenate([served, made]), np.concatenate([self.labels, composed])

    def image(self, label: int, rng: Generator) -> NDArray[np.uint8]:
        """One training image (224, 224, 3) of a class."""
        mixture = _MIXTURES[label]
        kind = str(rng.choice(list(mixture), p=list(mixture.values())))
        if kind == "photo":
            return taken(view(self.photos[rng.choice(self._photos_of[label])], rng, SIDE), rng)
        scene = self._scene(label, kind, rng)
        return taken(closer(scene, rng) if rng.random() < 0.35 else scene, rng)

    def _scene(self, label: int, kind: str, rng: Generator) -> Canvas:
        canvas = background(rng, SIDE, lambda: self.photos[rng.integers(len(self.photos))])
        if kind == "nothing":
            return non_product(rng, canvas)
        garment = self._garment(label, kind, rng)
        if "worn" in kind or (kind == "drawn" and label != BAG and rng.random() < 0.3):
            return worn(label, garment, rng, canvas, lambda other: self._cut_out(other, rng))
        return unworn(rotated(garment, rng.normal(0, 8)) if rng.random() < 0.5 else garment, rng, canvas)

    def _garment(self, label: int, kind: str, rng: Generator) -> Garment:
        if kind in ("laid", "worn"):
            return self._cut_out(label, rng)
        source, indices = (self._drawn, self._drawn_of) if kind == "drawn" else (self._grey, self._grey_of)
        return _mirrored(coloured(source.images[rng.choice(indices[label])], rng), rng)

    def _cut_out(self, label: int, rng: Generator) -> Garment:
        i = rng.choice(self._cut_outs_of[label])
        return _mirrored(cut_out(self.photos[i], self.masks[i]), rng)


def _read(path: Path) -> NDArray[np.uint8]:
    """An RGB photo whose longest side is 256 pixels, or as it is if it has fewer."""
    pixels = decode(read_regular(path), PHOTO_SIDE).pixels
    scale = PHOTO_SIDE / max(pixels.shape[:2])
    if scale < 1:
        shape = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _mirrored(garment: Garment, rng: Generator) -> Garment:
    return np.ascontiguousarray(garment[:, ::-1]) if rng.random() < 0.5 else garment


def _masks(chosen: list[ClothingPhoto], photos: list[NDArray[np.uint8]], progress: Progress) -> list[NDArray[np.bool_]]:
    """The masks of photos, kept in the cache: 80 ms each, of which all wait the second time."""
    key = hashlib.sha256()
    for photo, pixels in zip(chosen, photos, strict=True):
        key.update(f"{photo.path} {pixels.shape} ".encode())
    keep = cache_folder() / "data" / "photos10" / f"masks-{key.hexdigest()[:16]}.bin"
    bits = MASK_SIDE**2 // 8
    packed = np.empty((len(photos), bits), np.uint8)
    if keep.exists() and len(content := read_regular(keep)) == packed.size:
        packed = np.frombuffer(content, np.uint8).reshape(packed.shape)
    else:

        def find(i: int) -> None:
            packed[i] = np.packbits(find_mask(photos[i]))

        _in_threads(find, len(photos), "cutting garments out of photos", progress)
        keep.parent.mkdir(parents=True, exist_ok=True)
        write_file(keep, packed.tobytes())
    return [np.unpackbits(row).reshape(MASK_SIDE, MASK_SIDE).astype(bool) for row in packed]


def _in_threads(work: Callable[[int], None], n: int, what: str, progress: Progress) -> None:
    """`work(0)` to `work(n - 1)` on all cores: OpenCV lets other threads run meanwhile."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with ThreadPoolExecutor(cores()) as pool:
            for i, _ in enumerate(pool.map(work, range(n))):
                if i % 50 == 49 or i == n - 1:
                    progress(what, i + 1, n)
    finally:
        cv2.setNumThreads(threads)
