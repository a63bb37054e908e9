"""Graphs put together: one input, one output, the weighted sum."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hangtag.core.errors import HangtagError
from hangtag.export.merged import merged


def constant(row, opset=18):
    """A graph that gives `row` for every picture."""
    nodes = [
        helper.make_node("Shape", ["images"], ["all"], end=1),
        helper.make_node("Concat", ["all", "columns"], ["shape"], axis=0),
        helper.make_node("Expand", ["row", "shape"], ["probabilities"]),
    ]
    values = [numpy_helper.from_array(np.array(row, np.float32), "row")]
    values.append(numpy_helper.from_array(np.array([len(row)], np.int64), "columns"))
    pixels = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 4, 4])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(row)])
    graph = helper.make_graph(nodes, "constant", [pixels], [answer], values)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def test_answers_with_the_weighted_sum_under_the_names_every_bundle_has():
    content = merged([constant([0.2, 0.8]), constant([0.6, 0.4])], [0.25, 0.75], (4, 4), 2)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (answer,) = session.run(["probabilities"], {"images": np.zeros((3, 4, 4), np.uint8)})
    np.testing.assert_allclose(answer, [[0.5, 0.5]] * 3, atol=1e-7)


def test_versions_of_onnx_that_exclude_each_other_are_told():
    with pytest.raises(HangtagError, match="versions 18 and 17") as caught:
        merged([constant([1.0, 0.0]), constant([1.0, 0.0], opset=17)], [0.5, 0.5], (4, 4), 2)
    assert caught.value.code == "bundle_export_failed"
