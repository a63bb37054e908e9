"""A bundle's `model.onnx` as a Predictor on OpenVINO: the same graph, several times as fast on AMX.

In bfloat16 where the hardware is built for it, so its answers differ from ONNX Runtime's in the third digit:
`hangtag evaluate BUNDLE --engine openvino` says what that is worth on your pictures.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.hardware import cores
from hangtag.core.optional import require
from hangtag.core.types import Pictures
from hangtag.predict.deadline import Deadline
from hangtag.predict.onnx import INPUT, OnnxPredictor, first_line, outputs_of
from hangtag.predict.onnx_scan import refuse_external_data

_KINDS = {"u8": "tensor(uint8)", "f32": "tensor(float)"}  # as ONNX Runtime calls them


class OpenvinoPredictor(OnnxPredictor):
    """See `hangtag.core.types.Predictor`.

    Args:
        content: the whole ONNX file. It is loaded from memory, so that no path in it means anything.
        card: what it should be.
        threads: processor threads for one batch; by default all cores.

    Raises:
        HangtagError: `extra_missing`; `bundle_unsafe`, `bundle_damaged`, `bundle_timeout`, or `bundle_incompatible` if
            the graph is not what the card says.
    """

    def __init__(self, content: bytes, card: Card, threads: int | None = None) -> None:
        openvino = require("openvino", extra="openvino")
        refuse_external_data(content)
        core = openvino.Core()
        precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads or cores(),
            "PERFORMANCE_HINT": "LATENCY",  # one batch at a time, with all threads
        }

        def compiled() -> tuple[Any, Any]:
            model = core.read_model(content)
            return model, core.compile_model(model, "CPU", settings).create_infer_request()

        self._deadline = Deadline("model.onnx", len(content))
        self._request: Any
        try:
            model, self._request = self._deadline.opened(compiled, lambda: None)
        except HangtagError:
            raise
        except Exception as error:
            raise HangtagError("bundle_damaged", f"model.onnx does not load: {first_line(error)}") from error
        self._turn = threading.Lock()
        self.card = card
        outputs = _nodes(model.outputs)
        self._check_graph(_nodes(model.inputs), outputs)
        self._outputs = outputs_of(outputs)

    def _ask(self, batch: Pictures) -> list[NDArray[np.float32]]:
        with self._turn:  # a request that is asked while it answers is refused as busy; all cores are at work anyway
            # `cancel` ends a request between two nodes only, which is better than nothing.
            return self._deadline.answer(lambda: self._infer(batch), self._request.cancel, len(batch))

    def _infer(self, batch: Pictures) -> list[NDArray[np.float32]]:
        found = self._request.infer({INPUT: batch})
        return [np.array(found[name]) for name in self._outputs]


def _nodes(ports: Any) -> dict[str, tuple[str, list[int | None]]]:
    """Name -> (type, shape), None for what may vary."""
    return {
        port.get_any_name(): (
            _KINDS.get(port.get_element_type().get_type_name(), port.get_element_type().get_type_name()),
            [None if dimension.is_dynamic else dimension.get_length() for dimension in port.get_partial_shape()],
        )
        for port in ports
    }
