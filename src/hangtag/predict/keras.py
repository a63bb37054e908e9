"""A `.keras` file as a network: Keras on TensorFlow, both of the extra `keras`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require
from hangtag.core.types import Pictures
from hangtag.predict.keras_scan import refuse_code


class KerasModel:
    """See `hangtag.predict.foreign.ForeignModel`.

    Input (N, H, W), (N, H, W, 1), (N, 1, H, W) or (N, H * W) floats; one output (N, K).

    Raises:
        HangtagError: `bundle_unsafe` for a file that could run code, `bundle_damaged`, `bundle_incompatible`,
            `extra_missing`.
    """

    takes_bytes = False

    def __init__(self, path: Path) -> None:
        refuse_code(path)  # first: it needs no Keras
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ["KERAS_BACKEND"] = "tensorflow"
        tensorflow = require("tensorflow", extra="keras")
        keras = require("keras", extra="keras")
        self._name = path.name
        _refuse_links(path)
        try:
            self._model: Any = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # whatever its layers raise
            text = " ".join(str(error).split())[:200]
            unsafe = "unsafe" in text.casefold() or "safe_mode" in text
            code = "bundle_unsafe" if unsafe else "bundle_damaged"
            raise HangtagError(code, f"{path} cannot be loaded by Keras: {text}") from error
        shape = getattr(self._model, "input_shape", None)
        if not isinstance(shape, tuple):
            raise HangtagError(
                "bundle_incompatible", f"{path.name} takes {shape or 'no fixed shape'}, not pictures alone"
            )
        self._shape, self.size = self._laid_out(shape)
        signature = [tensorflow.TensorSpec([None, *shape[1:]], tensorflow.float32)]
        self._call = tensorflow.function(lambda inputs: self._model(inputs, training=False), input_signature=signature)

    @property
    def params(self) -> int | None:
        """Trained numbers."""
        return int(self._model.count_params())

    def answer(self, pixels: NDArray[np.float32] | Pictures) -> NDArray[np.float32]:
        """(N, H, W) -> (N, K)."""
        side = pixels.shape[1]
        places = {"side": side, "one": 1, "all": side * side}
        inputs = np.ascontiguousarray(pixels.reshape(len(pixels), *(places[axis] for axis in self._shape)), np.float32)
        try:
            answers: NDArray[np.float32] = np.asarray(self._call(inputs), np.float32)
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise HangtagError("bundle_damaged", f"{self._name} fails when run: {text}") from error
        return answers

    def _laid_out(self, shape: tuple[int | None, ...]) -> tuple[tuple[str, ...], int | None]:
        """What each axis is, and pixels along a side if the file says."""
        axes = shape[1:]
        if len(axes) == 1 and axes[0] and round(axes[0] ** 0.5) ** 2 == axes[0]:
            return ("all",), round(axes[0] ** 0.5)
        for layout in (("side", "side"), ("side", "side", "one"), ("one", "side", "side")):
            sides = {axis for axis, kind in zip(axes, layout, strict=False) if kind == "side"}
            ones = {axis for axis, kind in zip(axes, layout, strict=False) if kind == "one"}
            if len(axes) == len(layout) and ones <= {1} and len(sides) == 1 and sides != {1}:
                return layout, sides.pop()
        raise HangtagError("bundle_incompatible", f"{self._name} takes {['N', *axes]}, not square grey pictures")


def _refuse_links(path: Path) -> None:
    """An HDF5 file can keep numbers in any other file, by link or external storage.

    Raises:
        HangtagError: `bundle_unsafe`, `bundle_damaged`.
    """
    import io
    import zipfile
    import zlib

    h5py = require("h5py", extra="keras")
    try:
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
            todo, seen = [weights], set()
            while todo:
                group = todo.pop()
                for name in group:
                    link = group.get(name, getlink=True)
                    if not isinstance(link, h5py.HardLink):
                        raise HangtagError("bundle_unsafe", f"{path}: its weights link elsewhere: it is not opened")
                    inside = group[name]
                    if (address := h5py.h5o.get_info(inside.id).addr) in seen:  # groups can hold themselves
                        continue
                    seen.add(address)
                    if isinstance(inside, h5py.Group):
                        todo.append(inside)
                    elif inside.external or inside.is_virtual:
                        raise HangtagError(
                            "bundle_unsafe",
                            f"{path} keeps numbers in another file, so it could read any: it is not opened",
                        )
    except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError) as error:
        raise HangtagError("bundle_damaged", f"{path}: its weights cannot be read: {error}") from error
