"""From a bundle to labels: bundle (open and check), onnx and torch (run it), recogniser (any picture -> label)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hangtag.predict.recogniser import Recogniser


def load(name_or_path: str | os.PathLike[str] = "default", *, threads: int | None = None) -> Recogniser:
    """A trained model, ready to recognise pictures; it is a `Predictor` as well.

    Args:
        name_or_path: a bundle's name, its folder, or the folder of a run.
        threads: processor threads for one batch; by default all cores.

    Raises:
        HangtagError: `bundle_*`; `extra_missing` if it holds only weights and torch is not installed.
    """
    from hangtag.core.card import ONNX, WEIGHTS
    from hangtag.predict.bundle import open_bundle
    from hangtag.predict.recogniser import Recogniser

    bundle = open_bundle(name_or_path)
    if ONNX in bundle.files:
        from hangtag.predict.onnx import OnnxPredictor

        return Recogniser(OnnxPredictor(bundle.files[ONNX], bundle.card, threads), bundle.card)

    from hangtag.core.optional import require

    for package in ("torch", "safetensors"):
        require(package, extra="train")
    from hangtag.predict.torch import from_weights

    return Recogniser(from_weights(bundle.files[WEIGHTS], bundle.card), bundle.card)
