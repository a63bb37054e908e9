"""Several ONNX models of the same pictures and classes as one graph that answers with their weighted mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from hangtag.core.errors import HangtagError
from hangtag.predict.onnx import INPUT, OUTPUT


def merged(contents: Sequence[bytes], weights: Sequence[float], shape: Sequence[int], num_classes: int) -> bytes:
    """One model: `images` uint8 (N, *shape) -> `probabilities` (N, num_classes), their weighted sum.

    Args:
        contents: the members' files, each with that input and output.
        weights: one for each member; they should sum to 1.
        shape: of one picture: (size, size) or (size, size, 3).
        num_classes: K.

    Raises:
        HangtagError: `bundle_export_failed` if the members were written for versions of ONNX that exclude each
            other, or are more than one file can hold.
    """
    nodes, constants, functions, parts = [], [], [], []
    opsets: dict[str, int] = {}
    ir_version = 0
    for i, (content, weight) in enumerate(zip(contents, weights, strict=True)):
        member = compose.add_prefix(onnx.load_from_string(content), f"member{i}_")
        for opset in member.opset_import:
            if opsets.setdefault(opset.domain, opset.version) != opset.version:
                raise HangtagError(
                    "bundle_export_failed",
                    f"members were written for versions {opsets[opset.domain]} and {opset.version} of ONNX: "
                    "train the older one again",
                )
        nodes.append(helper.make_node("Identity", [INPUT], [f"member{i}_{INPUT}"]))
        nodes += member.graph.node
        constants += [*member.graph.initializer, numpy_helper.from_array(np.float32(weight), f"weight{i}")]
        functions += member.functions
        nodes.append(helper.make_node("Mul", [f"member{i}_{OUTPUT}", f"weight{i}"], [f"part{i}"]))
        parts.append(f"part{i}")
        ir_version = max(ir_version, member.ir_version)
    nodes.append(helper.make_node("Sum", parts, [OUTPUT]))
    graph = helper.make_graph(
        nodes,
        "hangtag",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", *shape])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", num_classes])],
        constants,
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version, functions=functions)
    try:
        found: bytes = model.SerializeToString()
    except ValueError as error:  # protobuf's limit of 2 GB
        raise HangtagError("bundle_export_failed", f"the members are too large for one file: {error}") from error
    return found
