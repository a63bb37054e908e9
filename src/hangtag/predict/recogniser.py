"""Any picture to a label: files, folders, bytes, Pillow images and arrays, one or thousands.

Files and bytes are decoded in child processes while the model works on the batch before; a Pillow image or an array is
the caller's own and is converted here.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hangtag.core.card import Card
from hangtag.core.decision import Decision, decision_for
from hangtag.core.errors import HangtagError
from hangtag.core.types import Pictures, Predictor, Probabilities
from hangtag.predict import arrays, uploads
from hangtag.predict.folder import find_pictures, is_folder
from hangtag.predict.known import Known, predict_known
from hangtag.predict.members import Members
from hangtag.predict.recognition import Recognition as Recognition
from hangtag.predict.recognition import Recognitions as Recognitions
from hangtag.preprocess import decoder
from hangtag.preprocess.decode import check_size, flatten
from hangtag.preprocess.photo import ENOUGH, check_content, convert_by_kind, read_file

if TYPE_CHECKING:
    from hangtag.preprocess.decode import Picture

BATCH = 64  # pictures the model is given at once; at most twice as many are held
Source: TypeAlias = Any
"""A path (`str` or `os.PathLike`), a file's content (`bytes`), an open file or upload, a `PIL.Image.Image`, or an
integer array (see `predict.arrays`), which may be another library's tensor on the processor."""
_FILES = (str, os.PathLike, bytes, bytearray, memoryview)  # where one is, or its content
_LIGHT = 0.6  # mean of training pixels in [0, 1]; Fashion-MNIST has 0.29, and 0.71 when negated
_IMPORTING = threading.Lock()
_Prepared: TypeAlias = tuple[NDArray[np.uint8], int, HangtagError | None]  # what the model sees; frames ignored; doubt


class Recogniser:
    """A model with eyes: a `Predictor` that also takes pictures of any kind and size.

    Args:
        predictor: pictures of the model's size -> probabilities.
        card: the size, and whether in colour.
        accept_at: the accuracy that accepted answers should have; see `core.decision`.
    """

    def __init__(self, predictor: Predictor, card: Card, accept_at: float | None = None) -> None:
        self.predictor = predictor
        self.card = card
        cards: list[tuple[str | None, Card]] = [*self.members.items()] or [(None, card)]
        self._decisions: dict[str | None, Decision] = {name: _decision(name, one, accept_at) for name, one in cards}

    def accepting(self, accept_at: float) -> Recogniser:
        """The same model, which accepts answers where this share of the held-out images was right.

        Raises:
            HangtagError: `usage_value` for no share between 0 and 1, or if the card holds no thresholds.
        """
        return Recogniser(self.predictor, self.card, accept_at)

    def __repr__(self) -> str:
        kind = "colour" if self.card.colour else "grey"
        names = ", ".join(self.class_names[:12]) + (", ..." if len(self.class_names) > 12 else "")
        return f"<Recogniser {self.card.name!r}: {self.card.size} x {self.card.size} {kind}, {names}>"

    @property
    def members(self) -> Mapping[str, Card]:
        """The cards of the members by name; empty for a model without."""
        return self.predictor.cards if isinstance(self.predictor, Members) else {}

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        return self.predictor.class_names

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) or (N, H, W, 3) uint8 of the model's own size -> (N, K) float32; see `Predictor`."""
        return self.predictor.predict_proba(images)

    def predict_known(self, images: Pictures) -> tuple[Probabilities, Known]:
        """`predict_proba`, and (N,) in [0, 1] how much each looks like any of the classes, if the model says so."""
        return predict_known(self.predictor, images)

    def recognise(
        self, source: Source | Iterable[Source], top: int = 3, *, accept_at: float | None = None
    ) -> Recognition | Recognitions:
        """Say what a picture shows, or several.

        Args:
            source: one picture (see `Source`), or an iterable of them, a folder (all pictures below it), or an array of
                pictures, (N, H, W) or (N, H, W, 1 to 4). A grey picture of exactly the model's size on a dark ground
                passes unchanged; anything else is converted as a photo (`preprocess.photo.convert`).
            top: how many classes to name.
            accept_at: accept answers where this share of the held-out images was right; None: as the card says.

        Returns:
            A `Recognition` for one picture, `Recognitions` for several. A picture that cannot be read has an `error`.

        Raises:
            HangtagError: `usage_value` for a source that is no kind of picture, and as `accepting` for `accept_at`;
                `image_shape` for an array that can be read in two ways; `bundle_damaged` if the model fails.
        """
        if accept_at is not None:
            return self.accepting(accept_at).recognise(source, top)
        if isinstance(source, str | os.PathLike) and os.fspath(source) and is_folder(Path(source)):
            return Recognitions(self.stream(find_pictures([Path(source)]).paths, top))
        array = _array(source)
        if array is not None and arrays.is_several(array, self.card.size, self.card.colour):
            return Recognitions(self.stream(array, top))
        if array is not None or isinstance(source, _FILES) or _is_image(source) or uploads.is_open_file(source):
            (recognition,) = self.stream([source], top)
            return recognition
        if isinstance(source, Iterable) and getattr(source, "ndim", 1) == 1 and not _is_nested(source):
            return Recognitions(self.stream(source, top))
        raise HangtagError("usage_value", _no_image(source))

    def stream(self, sources: Iterable[Source], top: int = 3) -> Iterator[Recognition]:
        """`recognise` of picture after picture, in order, holding at most two batches of them at a time."""
        waiting: deque[tuple[Source, Future[_Prepared]]] = deque()
        remaining = iter(sources)
        workers = ThreadPoolExecutor(decoder.shared().workers, "hangtag-picture")
        try:
            while True:
                for source in itertools.islice(remaining, 2 * BATCH - len(waiting)):
                    content = source
                    if not isinstance(source, _FILES) and not _is_image(source) and uploads.is_open_file(source):
                        content = _read_upload(source)  # here: a file that is given twice is not read by two at once
                    if not isinstance(content, _FILES):  # files are decoded in child processes
                        _import_pillow()
                    waiting.append((source, workers.submit(self._prepare, content)))
                if not waiting:
                    return
                yield from self._judge([waiting.popleft() for _ in range(min(BATCH, len(waiting)))], top)
        finally:
            workers.shutdown(wait=False, cancel_futures=True)

    def _prepare(self, source: Source) -> _Prepared:
        if isinstance(source, HangtagError):
            raise source
        if isinstance(source, str | os.PathLike):
            return (*self._decoded(read_file(source), check=True), None)
        if isinstance(source, bytes | bytearray | memoryview):
            return (*self._decoded(bytes(source), check=True), None)
        picture = self._picture(source)
        blank = None
        try:
            check_content(picture)
        except HangtagError as error:  # the model is asked all the same: zeros are what people try a model with
            blank = error
        pixels = convert_by_kind(picture, self.card.size, self.card.colour, self._light, self._photo_size)
        return pixels, picture.frames_ignored, blank

    def _decoded(self, content: bytes, check: bool) -> tuple[NDArray[np.uint8], int]:
        """A file's content as a child process reads it: what the model sees of it, and how many frames were ignored."""
        card = self.card
        return decoder.shared().read(content, card.size, card.colour, self._light, check, self._photo_size)

    @property
    def _photo_size(self) -> int:
        """Pixels along a side of what photos become, where small grey images go to another member; else 0."""
        return self.predictor.photo_size if isinstance(self.predictor, Members) else 0

    def convert_file(self, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
        """What the model sees of a file: (size, size) or (size, size, 3) uint8, of the member that it goes to.

        Raises:
            HangtagError: `image_*`, `decoder_busy`.
        """
        return self._decoded(read_file(path), check=False)[0]

    def predict_each(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """(K,) probabilities of each image; those of one shape are asked about together."""
        return [row for row, _ in self._predict_each(images)]

    def _predict_each(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[NDArray[np.float32], float | None]]:
        found: dict[int, tuple[NDArray[np.float32], float | None]] = {}
        for shape in dict.fromkeys(image.shape for image in images):
            chosen = [i for i, image in enumerate(images) if image.shape == shape]
            rows, known = self.predict_known(np.stack([images[i] for i in chosen]))
            shares = [None] * len(rows) if known is None else [min(1.0, round(float(share), 6)) for share in known]
            found |= zip(chosen, zip(rows, shares, strict=True), strict=True)
        return [found[i] for i in range(len(images))]

    @property
    def _light(self) -> bool:
        """Whether the model was trained on dark items on a light ground, as drawings on paper are."""
        mean = self.card.normalise.get("mean")
        return isinstance(mean, list) and len(mean) == 1 and mean[0] > _LIGHT

    def _picture(self, source: Source) -> Picture:
        """The caller's own image or array as the `Picture` that its PNG would be; see `preprocess.decode.decode`."""
        size = self.card.size
        enough = ENOUGH * max(size, self._photo_size)
        if _is_image(source):
            try:
                check_size(*source.size)
                return flatten(source, enough)
            except HangtagError:
                raise
            except Exception as error:  # a lazily opened file is decoded only now
                raise HangtagError("image_damaged", f"the image does not decode: {error}") from error
        if source is None or isinstance(source, dict | int | float):
            raise HangtagError("image_unsupported", _no_image(source))
        array = np.asarray(source) if (found := _array(source)) is None else found
        pixels = arrays.as_image(array, size, self.card.colour)
        check_size(pixels.shape[1], pixels.shape[0])
        from PIL import Image

        return flatten(Image.fromarray(np.ascontiguousarray(pixels)), enough)

    def _judge(self, batch: list[tuple[Source, Future[_Prepared]]], top: int) -> Iterator[Recognition]:
        prepared = [_outcome(future) for _, future in batch]
        good = [outcome[0] for outcome in prepared if not isinstance(outcome, HangtagError)]
        answers = iter(self._predict_each(good))
        for (source, _), outcome in zip(batch, prepared, strict=True):
            path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
            if isinstance(outcome, HangtagError):
                yield Recognition(path, None, 0.0, error=outcome)
                continue
            pixels, frames_ignored, blank = outcome
            row, known = next(answers)
            if blank is not None:
                yield Recognition(path, None, 0.0, error=blank, pixels=pixels, frames_ignored=frames_ignored)
                continue
            best = np.argsort(-row, kind="stable")[: max(1, top)]
            ranked = tuple((self.class_names[i], round(float(row[i]), 6)) for i in best)
            member = self.predictor.member_of(pixels.shape) if isinstance(self.predictor, Members) else None
            decision = self._decisions[member]
            yield Recognition(
                path,
                *ranked[0],
                top=ranked,
                pixels=pixels,
                frames_ignored=frames_ignored,
                member=member,
                status=decision.status(ranked[0][1], known),
                why=decision.why(ranked[0][1], known),
                known=known,
            )


def _decision(member: str | None, card: Card, accept_at: float | None) -> Decision:
    try:
        return decision_for(card.decision, accept_at)
    except HangtagError as error:
        raise HangtagError(error.code, f"{member}: {error.message}" if member else error.message) from error


def _outcome(future: Future[_Prepared]) -> _Prepared | HangtagError:
    try:
        return future.result()
    except HangtagError as error:
        if not error.code.startswith(("image", "decoder")):  # of no use to go on: no decoder starts, say
            raise
        return error


def _is_image(source: Source) -> bool:
    """Whether it is a Pillow image, without importing Pillow: whoever has one has imported it."""
    image_class = getattr(sys.modules.get("PIL.Image"), "Image", None)  # None while another thread is importing it
    return image_class is not None and isinstance(source, image_class)


def _import_pillow() -> None:
    """Import Pillow before worker threads need it: several that import it at once may meet it half loaded."""
    with _IMPORTING:
        for module in ("PIL.Image", "PIL.TiffImagePlugin"):  # the latter reads the EXIF orientation
            importlib.import_module(module)


def _is_nested(source: Iterable[Any]) -> bool:
    """Whether it is numbers, or rows of them, or a mapping: to go through it would give a label for each."""
    first = source[0] if isinstance(source, list | tuple | range) and source else None
    first = first[0] if isinstance(first, list | tuple) and first else first
    return isinstance(source, dict) or isinstance(first, int | float)


def _no_image(source: Any) -> str:
    kinds = "a path, bytes, an open file, a Pillow image or an array"
    if isinstance(source, dict):
        return f"a picture is {kinds}, not {type(source)}: give its values"
    if isinstance(source, list | tuple | range):
        return f"a picture is {kinds}, not rows of numbers: give numpy.array(rows, 'uint8')"
    if isinstance(source, np.ndarray):
        return f"a picture is {kinds} of numbers, not an array of {source.dtype}"
    return f"a picture is {kinds}, not {type(source)}"


def _array(source: Source) -> NDArray[Any] | None:
    """The array that it is, or the one in another library's tensor; None if it is something else."""
    if isinstance(source, _FILES) or not hasattr(source, "__array__"):
        return None
    try:
        array = np.asarray(source)
    except (TypeError, ValueError, RuntimeError) as error:  # on a GPU, or part of a graph
        raise HangtagError("usage_value", f"{type(source).__name__} cannot be read as an array: {error}") from error
    return array if array.dtype.kind in "biufc" else None  # a table's column of paths is not a picture


def _read_upload(source: Source) -> bytes | HangtagError:
    """Its content, or why there is none: an error of this picture, not of those beside it."""
    try:
        return uploads.read(source)
    except HangtagError as error:
        return error
