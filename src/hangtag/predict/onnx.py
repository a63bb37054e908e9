"""A bundle's `model.onnx` as a Predictor, on ONNX Runtime alone.

The graph holds the normalisation: input `images`, uint8 (N, H, W) or (N, H, W, 3); output `probabilities`, float32 (N,
K), whose rows sum to 1, or to less where the model has an output for what is none of its classes; and perhaps `known`,
float32 (N,), in [0, 1]: how much an image looks like one of the classes at all.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.hardware import cores
from hangtag.core.types import Pictures, Probabilities
from hangtag.predict.deadline import Deadline
from hangtag.predict.known import Known
from hangtag.predict.onnx_scan import refuse_external_data

onnxruntime.disable_telemetry_events()  # a program that loaded it before Hangtag has it on; see core/environment.py

BATCH = 64  # on two cores 256 took a third more processor time (its activations leave the caches) and twice the memory
INPUT, OUTPUT, KNOWN = "images", "probabilities", "known"

Nodes: TypeAlias = dict[str, tuple[str, list[int | None]]]
"""What a graph takes or gives: name -> (type as ONNX Runtime calls it, shape with None for what may vary)."""


class OnnxPredictor:
    """See `hangtag.core.types.Predictor`.

    Args:
        content: the whole ONNX file. It is loaded from memory, so that no path in it means anything.
        card: what it should be.
        threads: processor threads for one batch; by default all cores.

    Raises:
        HangtagError: `bundle_unsafe`, `bundle_damaged`, `bundle_timeout`, or `bundle_incompatible` if the graph is not
            what the card says.
    """

    def __init__(self, content: bytes, card: Card, threads: int | None = None) -> None:
        self._deadline = Deadline("model.onnx", len(content))
        self._session = open_session(content, "model.onnx", threads)
        self.card = card
        outputs = _nodes(self._session.get_outputs())
        self._check_graph(_nodes(self._session.get_inputs()), outputs)
        self._outputs = outputs_of(outputs)

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        return self.card.class_names

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) or (N, H, W, 3) uint8 of the model's own size -> (N, K) float32, rows sum to 1 or less.

        Raises:
            HangtagError: `image_shape` if the pictures are of another shape or type, `bundle_damaged` if the model
                answers with something that is no probability, `bundle_timeout` if it does not answer.
        """
        return self.predict_known(images)[0]

    def predict_known(self, images: Pictures) -> tuple[Probabilities, Known]:
        """`predict_proba`, and of the same run (N,) float32 in [0, 1]: how much each image looks like a class at all.

        None in place of the latter where the graph has no such output. Raises as `predict_proba` does.
        """
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.card.image_shape:
            wanted = " x ".join(map(str, ("N", *self.card.image_shape)))
            raise HangtagError("image_shape", f"this model takes uint8 {wanted}, not {images.dtype} {images.shape}")
        if len(images) > 1 and self._deadline.an_image_s is None:
            self._answer(images[:1])  # how long one takes says how long many may
        shapes = {OUTPUT: (len(self.class_names),), KNOWN: ()}
        found = {name: np.empty((len(images), *shapes[name]), np.float32) for name in self._outputs}
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            for (name, whole), part in zip(found.items(), self._answer(batch), strict=True):
                if part.shape != (len(batch), *shapes[name]):
                    raise HangtagError("bundle_incompatible", f"the model gives {part.shape} for {len(batch)} pictures")
                whole[start : start + BATCH] = part
        for whole in found.values():
            if not ((whole >= 0) & (whole <= 1.001)).all():  # NaN is neither
                raise HangtagError(
                    "bundle_damaged", "the model answers with numbers that are no probabilities: train again"
                )
        return found[OUTPUT], found.get(KNOWN)

    def _answer(self, batch: Pictures) -> list[NDArray[np.float32]]:
        try:
            return self._ask(np.ascontiguousarray(batch))
        except HangtagError:
            raise
        except Exception as error:
            raise HangtagError("bundle_damaged", f"model.onnx fails when run: {first_line(error)}") from error

    def _ask(self, batch: Pictures) -> list[NDArray[np.float32]]:
        return run_session(self._session, self._deadline, self._outputs, {INPUT: batch})

    def _check_graph(self, inputs: Nodes, outputs: Nodes) -> None:
        if list(inputs) != [INPUT] or OUTPUT not in outputs:
            raise _mismatch(f"inputs {list(inputs)} and outputs {list(outputs)}", f"{INPUT!r} and {OUTPUT!r}")
        for name, (kind, shape), wanted_kind, wanted in (
            (INPUT, inputs[INPUT], "tensor(uint8)", (None, *self.card.image_shape)),
            (OUTPUT, outputs[OUTPUT], "tensor(float)", (None, len(self.class_names))),
            *((KNOWN, outputs[KNOWN], "tensor(float)", (None,)) for _ in outputs.keys() & {KNOWN}),
        ):
            fits = len(shape) == len(wanted) and shape[0] is None
            fits = fits and all(has in (None, wants) for has, wants in zip(shape[1:], wanted[1:], strict=True))
            if kind != wanted_kind or not fits:
                raise _mismatch(f"{name} {kind} {shape}", f"{wanted_kind} {['N', *wanted[1:]]}")


def outputs_of(outputs: Nodes) -> list[str]:
    """What is asked of a graph: `probabilities`, and `known` if it has that."""
    return [OUTPUT, *([KNOWN] if KNOWN in outputs else [])]


def _nodes(nodes: Any) -> Nodes:
    return {node.name: (node.type, [side if isinstance(side, int) else None for side in node.shape]) for node in nodes}


def open_session(content: bytes, name: str, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A session over a whole ONNX file, called `name` in errors.

    Raises:
        HangtagError: `bundle_unsafe`, `bundle_damaged`, `bundle_timeout`.
    """
    refuse_external_data(content)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its messages come as exceptions; standard error is ours
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads or cores()
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the largest batch's memory for good
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads sleep
    options.add_session_config_entry("session.load_model_format", "ONNX")  # its other format was not looked through

    def create() -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def cancel() -> None:
        options.set_load_cancellation_flag(True)

    try:
        return Deadline(name, len(content)).opened(create, cancel)
    except HangtagError:
        raise
    except Exception as error:  # its exceptions share no base of their own
        raise HangtagError("bundle_damaged", f"{name} does not load: {first_line(error)}") from error


def run_session(
    session: onnxruntime.InferenceSession, deadline: Deadline, outputs: list[str], inputs: dict[str, NDArray[Any]]
) -> list[Any]:
    """The outputs asked for, within the deadline; the inputs' first axis counts the images."""
    options = onnxruntime.RunOptions()

    def terminate() -> None:
        options.terminate = True

    (images,) = (len(batch) for batch in inputs.values())
    return deadline.answer(lambda: session.run(outputs, inputs, options), terminate, images)


def _mismatch(found: str, wanted: str) -> HangtagError:
    return HangtagError("bundle_incompatible", f"model.onnx does not fit its card: it has {found}, not {wanted}")


def first_line(error: Exception) -> str:
    """What an exception of ONNX Runtime says, without its many lines."""
    return str(error).strip().partition("\n")[0][:200]
