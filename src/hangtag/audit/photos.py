"""What an audit keeps of each photo: a grey and a colour sketch to compare, and a few measures. 5 kB, not the photo.

A photo is read in colour at 96 pixels a side, fitted and padded (`preprocess.photo`), block by block: the sketches of
100,000 photos are 0.5 GB, their pixels would be 2.8 GB.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hangtag.audit.alignment import softened
from hangtag.audit.descriptions import describe
from hangtag.core.errors import HangtagError
from hangtag.core.types import PhotoFiles, Pictures, Split
from hangtag.preprocess import decoder
from hangtag.preprocess.photo import read_file

Progress: TypeAlias = Callable[[str, int, int], None]

SIDE = 96  # pixels: a garment's seams and prints show; at 28 two plain trousers are one
GREY_SIDE, COLOUR_SIDE = 64, 16  # of the sketches
SMALL = 64  # pixels: grey images no larger than this are a data set like Fashion-MNIST, not photos
_ORIENTATION, _LYING = 0x0112, (5, 6, 7, 8)  # the EXIF tag, and its values for a camera held upright
_BLOCK = 512  # photos read at a time: 14 MB


@dataclass(frozen=True, eq=False)
class Sketches:
    """Of N photos.

    Args:
        grey: (N, 64, 64) uint8, without the padding, stretched to a square.
        colour: (N, 16, 16, 2) uint8, Cb and Cr of the same.
        described: (N, 72), `descriptions.describe`.
        contrast: (N,) standard deviation of the pixels, of the channel where it is largest.
        edge: (N,) median shade of the outermost pixels.
        white: (N,) share of the pixels at 250 or more.
        light: (N,) shade that 2% of the pixels are brighter than.
        sharpness: (N,) how strong the sharpest hundredth of the details is, in units of the contrast.
        longest: (N,) longest side of the file in pixels, 0 where nobody asked.
    """

    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]
    described: NDArray[np.float32]
    contrast: NDArray[np.float32]
    edge: NDArray[np.float32]
    white: NDArray[np.float32]
    light: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    longest: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.grey)

    def take(self, rows: list[int]) -> Sketches:
        """Those of the photos at `rows`, in that order."""
        return Sketches(*(getattr(self, each.name)[rows] for each in fields(self)))


def sketch(photos: Pictures, sizes: NDArray[np.int64] | None = None) -> Sketches:
    """Sketches of photos in memory.

    Args:
        photos: (N, S, S, 3) uint8, S 64 or more, fitted and padded.
        sizes: (N, 2) height and width of the upright files, which tell what is padding; by default nothing is.
    """
    sizes = np.zeros((len(photos), 2), np.int64) if sizes is None else sizes
    grey = np.zeros((len(photos), GREY_SIDE, GREY_SIDE), np.uint8)
    colour = np.zeros((len(photos), COLOUR_SIDE, COLOUR_SIDE, 2), np.uint8)
    contrast = np.zeros(len(photos), np.float32)
    for i, photo in enumerate(photos):
        inner = _without_padding(photo, *sizes[i])
        contrast[i] = inner.reshape(-1, 3).std(axis=0).max()
        bands = Image.fromarray(inner).convert("YCbCr").split()
        grey[i] = _stretched(bands[0], GREY_SIDE)
        colour[i, ..., 0], colour[i, ..., 1] = (_stretched(band, COLOUR_SIDE) for band in bands[1:])
    rim = np.concatenate([_rows(photos[:, [0, -1]]), _rows(photos[:, :, [0, -1]])], axis=1)
    detail = np.abs(grey - softened(softened(grey)))
    return Sketches(
        grey,
        colour,
        describe(photos),
        contrast,
        np.median(rim, axis=1).astype(np.float32),
        _rows(photos >= 250).mean(axis=1, dtype=np.float32),
        _quantile(grey, 0.98),
        _quantile(detail, 0.99) / np.maximum(_rows(grey).std(axis=1, dtype=np.float32), 10),
        sizes.max(axis=1),
    )


def look_at(
    halves: Mapping[str, PhotoFiles], progress: Progress
) -> tuple[dict[str, Split], dict[str, Sketches] | None]:
    """The images of a folder as an audit looks at them.

    Small grey images, as of Fashion-MNIST written into files, are read at their own size, all of them alike, and have
    no sketches. All others are photos: see `read`.

    Args:
        halves: the files by half.
        progress: told (what, done, in all).

    Raises:
        HangtagError: `data_count` if none of a half can be read; `internal_decoder`.
    """
    side = small_side(list(halves.values()))
    if side is not None and (small := _small_grey(halves, side, progress)) is not None:
        return small, None
    found = {name: read(files, progress) for name, files in halves.items()}
    return {name: split for name, (split, _) in found.items()}, {name: photos for name, (_, photos) in found.items()}


def read(files: PhotoFiles, progress: Progress) -> tuple[Split, Sketches]:
    """The photos of a half that can be read, without their pixels, and their sketches.

    The split's `images` are (N, 1, 1) zeros: what is shown of a photo is read from its file again.

    Raises:
        HangtagError: `data_count` if none can be read; `internal_decoder`.
    """
    parts, kept, skipped = [], [], list(files.skipped)
    for rows, photos, sizes, reasons in _blocks(files, SIDE, progress):
        parts.append(sketch(photos, sizes))
        kept += rows
        skipped += reasons
    columns = {each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Sketches)}
    return _split(files, np.zeros((len(kept), 1, 1), np.uint8), kept, skipped), Sketches(**columns)


def _split(files: PhotoFiles, images: Pictures, kept: list[int], skipped: list[str]) -> Split:
    if not kept:
        first = f": {skipped[0]}" if skipped else ""
        raise HangtagError("data_count", f"{files.root} has no photo that can be read{first}")
    sources = tuple(files.files[i].relative_to(files.root).as_posix() for i in kept)
    return Split(images, files.labels[kept], files.class_names, sources, tuple(skipped))


def _small_grey(halves: Mapping[str, PhotoFiles], side: int, progress: Progress) -> dict[str, Split] | None:
    """Images of at most `side` pixels as they are, None if any of them has a colour."""
    found = {}
    for name, files in halves.items():
        parts, kept, skipped = [], [], list(files.skipped)
        for rows, images, _, reasons in _blocks(files, side, progress):
            if (images != images[..., :1]).any():
                return None
            parts.append(images[..., 0])
            kept += rows
            skipped += reasons
        found[name] = _split(files, np.concatenate(parts), kept, skipped)
    return found


def small_side(halves: list[PhotoFiles]) -> int | None:
    """The longest side in pixels of all images, if none is longer than 64; None for photos. Headers alone are read."""
    longest = 0
    for half in halves:
        for file in half.files:
            try:
                side = max(_size(read_file(file)))
            except HangtagError:
                continue
            if side > SMALL:
                return None
            longest = max(longest, side)
    return longest or None


def _blocks(
    files: PhotoFiles, side: int, progress: Progress
) -> Iterator[tuple[list[int], Pictures, NDArray[np.int64], list[str]]]:
    """Places in `files`, pixels and (height, width) of those that can be read, and why the others cannot."""
    pool = ThreadPoolExecutor(decoder.shared().workers)  # as many wait for child processes
    try:
        for start in range(0, len(files.files), _BLOCK):
            paths = files.files[start : start + _BLOCK]
            rows, photos, sizes, reasons = [], [], [], []
            for i, found in enumerate(pool.map(partial(_photo, side), paths)):
                if isinstance(found, str):
                    reasons.append(files.leave_out(paths[i], found))
                else:
                    rows.append(start + i)
                    photos.append(found[0])
                    sizes.append(found[1])
                progress(f"reading {files.root.name}", start + i + 1, len(files.files))
            pixels = np.stack(photos) if photos else np.zeros((0, side, side, 3), np.uint8)
            yield rows, pixels, np.array(sizes, np.int64).reshape(len(sizes), 2), reasons
    finally:
        pool.shutdown(cancel_futures=True)


def _photo(side: int, path: Path) -> tuple[NDArray[np.uint8], tuple[int, int]] | str:
    try:
        content = read_file(path)
        return decoder.shared().convert(content, side, True), _size(content)
    except HangtagError as error:
        if not error.code.startswith("image"):  # no decoder starts, say
            raise
        return error.message


def _size(content: bytes) -> tuple[int, int]:
    """Height and width of an image file, upright, by its header; 0 and 0 where it has none that makes sense."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP", "AVIF")) as image:
            lying = image.getexif().get(_ORIENTATION, 1) in _LYING
            return image.size if lying else (image.height, image.width)
    except Exception:  # the decoder says what is wrong with it
        return 0, 0


def _without_padding(photo: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The part of the square that a file of that size fills (`preprocess.photo`), all of it where nobody knows."""
    longest = max(height, width)
    if not longest:
        return photo
    side = len(photo)
    high, wide = (min(side, max(1, round(length * side / longest))) for length in (height, width))
    top, left = (side - high) // 2, (side - wide) // 2
    return photo[top : top + high, left : left + wide]


def _stretched(band: Image.Image, side: int) -> NDArray[np.uint8]:
    return np.asarray(band.resize((side, side), Image.Resampling.BILINEAR))


def _quantile(images: NDArray[Any], share: float) -> NDArray[np.float32]:
    """(N,) the value that a share of each image's pixels is not above."""
    rows = _rows(images)
    place = int(share * (rows.shape[1] - 1))
    return np.partition(rows, place, axis=1)[:, place].astype(np.float32)


def _rows(images: NDArray[Any]) -> NDArray[Any]:
    """(N, ...) to (N, M), for an N of 0 too."""
    return images.reshape(len(images), int(np.prod(images.shape[1:])))
