"""From a bundle to labels: bundle (open and check), onnx and torch (run it), recogniser (any picture -> label)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from hangtag.predict.bundle import Bundle
    from hangtag.predict.recogniser import Recogniser

Engine: TypeAlias = Literal["onnxruntime", "openvino"]
ENGINES: tuple[Engine, ...] = ("onnxruntime", "openvino")


def load(
    name_or_path: str | os.PathLike[str] = "default", *, threads: int | None = None, engine: Engine = "onnxruntime"
) -> Recogniser:
    """A trained model, ready to recognise pictures; it is a `Predictor` as well.

    Args:
        name_or_path: a bundle's name, its folder, or the folder of a run, which may still be training.
        threads: processor threads for one batch; by default all cores.
        engine: what runs `model.onnx`: "onnxruntime", or "openvino" (an extra; several times as fast with AMX).

    Raises:
        HangtagError: `usage_engine`; `usage_value` for what is neither name nor path; `bundle_*`; `extra_missing` if it
            holds only weights and torch is not installed.
    """
    from hangtag.core.errors import HangtagError
    from hangtag.predict.bundle import open_bundle

    if engine not in ENGINES:
        raise HangtagError("usage_engine", f"engine should be one of {', '.join(ENGINES)}, not {engine!r}")
    if not isinstance(name_or_path, str | os.PathLike):
        raise HangtagError("usage_value", f"a model is loaded by its name or its folder, not by {name_or_path!r}")
    return from_bundle(open_bundle(name_or_path), threads=threads, engine=engine)


def from_bundle(bundle: Bundle, *, threads: int | None = None, engine: Engine = "onnxruntime") -> Recogniser:
    """The model of a bundle that is open already; arguments and errors as for `load`."""
    from hangtag.core.card import ONNX, WEIGHTS
    from hangtag.predict.recogniser import Recogniser

    if bundle.members:
        from hangtag.predict.members import Members

        found = {name: from_bundle(member, threads=threads, engine=engine) for name, member in bundle.members.items()}
        predictors = {name: one.predictor for name, one in found.items()}
        return Recogniser(Members(predictors, {name: one.card for name, one in found.items()}), bundle.card)
    if ONNX in bundle.files and engine == "openvino":
        from hangtag.predict.openvino import OpenvinoPredictor

        return Recogniser(OpenvinoPredictor(bundle.files[ONNX], bundle.card, threads), bundle.card)
    if ONNX in bundle.files:
        from hangtag.predict.onnx import OnnxPredictor

        return Recogniser(OnnxPredictor(bundle.files[ONNX], bundle.card, threads), bundle.card)

    from hangtag.core.optional import require

    for package in ("torch", "safetensors"):
        require(package, extra="train")
    from hangtag.predict.torch import from_weights

    return Recogniser(from_weights(bundle.files[WEIGHTS], bundle.card), bundle.card)
