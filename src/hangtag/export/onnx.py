"""A network as one ONNX graph that starts at pixels.

The TorchScript exporter is used on purpose: beside the newer one (torch.export and onnxscript) it takes a sixth of
the time and 130 MB less, and gives the same graphs for these networks. It is on its way
out, so torch is pinned below the release that may lack it, and every export is proved on real pictures anyway
(docs/decisions/0001-one-graph-from-pixels.md).
"""

from __future__ import annotations

import io
import warnings

import torch

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require
from hangtag.predict.torch import Deployed

OPSET = 18


def to_onnx(deployed: Deployed, size: int, colour: bool) -> bytes:
    """The ONNX file: `images` uint8 (N, size, size) or (N, size, size, 3) -> `probabilities` float32 (N, K).

    Raises:
        HangtagError: `extra_missing`; `bundle_export_failed` if the exporter cannot translate the model.
    """
    require("onnx", extra="train")
    example = torch.zeros((2, size, size, 3) if colour else (2, size, size), dtype=torch.uint8)
    target = io.BytesIO()
    # A failing export prints its whole graph, and onto standard output, where our JSON goes; it cannot be turned off.
    torch._C._jit_set_onnx_log_output_stream("stderr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns its developers of itself
        try:
            torch.onnx.export(
                deployed.eval(),
                (example,),
                target,  # type: ignore[arg-type] # it takes files too
                dynamo=False,
                opset_version=OPSET,
                input_names=["images"],
                output_names=["probabilities"],
                dynamic_axes={"images": {0: "N"}, "probabilities": {0: "N"}},
            )
        except Exception as error:  # the exporter raises whatever its many passes raise
            reason = " ".join(str(error).split())[:300]
            raise HangtagError("bundle_export_failed", f"the model could not be written as ONNX: {reason}") from error
    return target.getvalue()
