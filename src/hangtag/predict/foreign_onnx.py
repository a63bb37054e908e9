"""An ONNX file that is no bundle: any names, layout and types, as long as it goes from grey pictures to classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular
from hangtag.core.types import Pictures
from hangtag.predict.bundle import MAX_BYTES
from hangtag.predict.deadline import Deadline
from hangtag.predict.onnx import first_line, open_session, run_session

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


class OnnxModel:
    """See `hangtag.predict.foreign.ForeignModel`.

    Input (N, H, W), (N, 1, H, W), (N, H, W, 1) or (N, H * W), as float or uint8; the first output that is (N, K).

    Raises:
        HangtagError: `bundle_unsafe` if it keeps numbers outside itself, `bundle_damaged`, `bundle_incompatible`.
    """

    def __init__(self, path: Path) -> None:
        try:
            content = read_regular(path, MAX_BYTES + 1)
        except OSError as error:
            raise HangtagError("bundle_damaged", f"{path} cannot be read: {error.strerror}") from error
        if len(content) > MAX_BYTES:
            raise HangtagError("bundle_incompatible", f"{path} is longer than {MAX_BYTES:,} bytes")
        self._name = path.name
        self._deadline = Deadline(path.name, len(content))
        self._session = open_session(content, path.name)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise self._unfit(f"takes {len(inputs)} inputs, not pictures alone")
        (node,) = inputs
        if node.type not in _TYPES:
            raise self._unfit(f"takes {node.type}, neither floats nor bytes")
        self._input, self._type = node.name, _TYPES[node.type]
        self._batch = node.shape[0] if node.shape and isinstance(node.shape[0], int) else None
        self._layout, self.size = self._laid_out(node.shape)
        self._output = self._answers()

    @property
    def takes_bytes(self) -> bool:
        """Whether its input is uint8."""
        return self._type == np.uint8

    @property
    def params(self) -> int | None:
        """Not counted: the file does not say which of its numbers were trained."""
        return None

    def answer(self, pixels: NDArray[np.float32] | Pictures) -> NDArray[np.float32]:
        """(N, H, W) -> (N, K)."""
        n, side = len(pixels), pixels.shape[1]
        shape = {"NHW": (n, side, side), "NCHW": (n, 1, side, side), "NHWC": (n, side, side, 1), "NP": (n, side * side)}
        inputs = np.ascontiguousarray(pixels.reshape(shape[self._layout]).astype(self._type))
        step = self._batch or n
        if n % step:  # it takes whole batches only
            inputs = np.concatenate([inputs, np.zeros((step - n % step, *inputs.shape[1:]), self._type)])
        try:
            parts = [
                run_session(self._session, self._deadline, [self._output], {self._input: inputs[i : i + step]})[0]
                for i in range(0, len(inputs), step)
            ]
        except HangtagError:
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise HangtagError("bundle_damaged", f"{self._name} fails when run: {first_line(error)}") from error
        answers: NDArray[np.float32] = np.concatenate(parts)[:n].astype(np.float32)
        return answers

    def _laid_out(self, shape: list[Any]) -> tuple[str, int | None]:
        """Which axis is which, and pixels along a side if the file says."""
        known = [side if isinstance(side, int) else None for side in shape[1:]]
        if len(known) == 1 and known[0] is not None and round(known[0] ** 0.5) ** 2 == known[0]:
            return "NP", round(known[0] ** 0.5)
        for layout, ones, sides in (("NHW", (), (0, 1)), ("NCHW", (0,), (1, 2)), ("NHWC", (2,), (0, 1))):
            if len(known) != len(ones) + 2 or any(known[axis] not in (1, None) for axis in ones):
                continue
            given = {known[axis] for axis in sides} - {None}
            if len(given) <= 1 and 1 not in given:
                return layout, given.pop() if given else None
        raise self._unfit(f"takes {['N', *shape[1:]]}, not square grey pictures")

    def _answers(self) -> str:
        """The output that has a number per class."""
        for node in self._session.get_outputs():
            if node.type in ("tensor(float)", "tensor(double)", "tensor(float16)") and len(node.shape) == 2:
                return str(node.name)
        found = [f"{node.name} {node.type} {node.shape}" for node in self._session.get_outputs()]
        raise self._unfit(f"answers with {', '.join(found)}, not with a number per class")

    def _unfit(self, what: str) -> HangtagError:
        return HangtagError("bundle_incompatible", f"{self._name} {what}")
