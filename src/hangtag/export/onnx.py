"""A network as one ONNX graph that starts at pixels, and the proof that it answers as the network does."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require
from hangtag.core.types import Pictures, Predictor
from hangtag.predict.torch import Deployed

# fp32 against fp32 with sums in another order: a few 1e-7 a layer. Anything near 1e-3 is another function.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Parity:
    """How an exported model compares with the one that was trained, on real pictures.

    Args:
        n: pictures compared.
        max_abs_difference: largest difference of any probability.
        agreement: share of pictures that get the same label, 0..1.
    """

    n: int
    max_abs_difference: float
    agreement: float

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)


def to_onnx(deployed: Deployed, size: int, colour: bool) -> bytes:
    """The ONNX file: `images` uint8 (N, size, size) or (N, size, size, 3) -> `probabilities` float32 (N, K).

    Raises:
        HangtagError: `extra_missing`; `bundle_export_failed` if the exporter cannot translate the model.
    """
    require("onnx", extra="train")
    require("onnxscript", extra="train")
    example = torch.zeros((2, size, size, 3) if colour else (2, size, size), dtype=torch.uint8)
    target = io.BytesIO()
    with _quiet():
        try:
            program = torch.onnx.export(
                deployed.eval(),
                (example,),
                dynamo=True,
                verbose=False,
                input_names=["images"],
                output_names=["probabilities"],
                dynamic_shapes=({0: torch.export.Dim("N")},),
                external_data=False,
            )
            assert program is not None
            program.save(target)
        except Exception as error:  # the exporter raises whatever its hundred passes raise
            reason = " ".join(str(error).split())[:300]
            raise HangtagError("bundle_export_failed", f"the model could not be written as ONNX: {reason}") from error
    return target.getvalue()


def compare(exported: Predictor, trained: Predictor, images: Pictures) -> Parity:
    """Both on the same real pictures.

    Raises:
        HangtagError: `bundle_parity` if they are not the same function: nothing that differs is ever bundled.
    """
    ours, theirs = trained.predict_proba(images), exported.predict_proba(images)
    parity = Parity(
        n=len(images),
        max_abs_difference=float(np.abs(ours - theirs).max()),
        agreement=float((ours.argmax(1) == theirs.argmax(1)).mean()),
    )
    if not parity.max_abs_difference <= TOLERANCE:  # a NaN fails too
        raise HangtagError(
            "bundle_parity",
            f"the exported model differs from the trained one by {parity.max_abs_difference:.2g} on real pictures; "
            f"other versions of torch, onnx or onnxruntime may help (constraints.txt holds those that work)",
        )
    return parity


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks to its own developers through warnings and logs; none of it is for our users."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
