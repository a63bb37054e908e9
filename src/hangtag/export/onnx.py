"""A network as one ONNX graph that starts at pixels."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import torch

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require
from hangtag.predict.torch import Deployed


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
            program.save(target)  # type: ignore[arg-type] # it takes files too
        except Exception as error:  # the exporter raises whatever its hundred passes raise
            reason = " ".join(str(error).split())[:300]
            raise HangtagError("bundle_export_failed", f"the model could not be written as ONNX: {reason}") from error
    return target.getvalue()


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
