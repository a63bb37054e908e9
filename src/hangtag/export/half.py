"""Weights kept in sixteen bits: half a file's size, computed with in thirty-two as before."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALL = 256  # numbers: below that the cast's own entry in the file is as long as what it saves
TOLERANCE = 1e-2  # of probabilities: a rounding of one in 2,048 for each weight was seen to move them by some 1e-3


def halved(content: bytes) -> bytes:
    """The model with its large float32 weights as float16, each behind a cast back to float32.

    Whoever loads it widens the weights once (ONNX Runtime and OpenVINO fold a cast of a constant), so answers take as
    long as before. Weights that float16 cannot hold (above 65,504, say) are left as they are.

    Args:
        content: a model of one file.
    """
    model = onnx.load_from_string(content)
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims, dtype=np.int64) < SMALL:
            continue
        weights = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = weights.astype(np.float16)
        if not np.isfinite(half).all():
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    found: bytes = model.SerializeToString()
    return found
