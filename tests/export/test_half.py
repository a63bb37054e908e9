"""Half the file, the same labels, and nothing that float16 cannot hold."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hangtag import predict
from hangtag.data.sets import drawn
from hangtag.export.half import SMALL, TOLERANCE, halved
from hangtag.export.parity import compare
from hangtag.predict.bundle import open_bundle
from hangtag.predict.onnx import OnnxPredictor


def test_the_shipped_model_answers_the_same_from_half_the_bytes():
    bundle = open_bundle("default")
    content = bundle.files["model.onnx"]
    half = halved(content)
    assert len(half) < 0.55 * len(content)
    images = drawn.pictures(300, seed=9).images
    parity = compare(OnnxPredictor(half, bundle.card), predict.load("default"), images, TOLERANCE)
    assert parity.agreement == 1
    assert 0 < parity.max_abs_difference < TOLERANCE


def graph(weights):
    """images @ weights, as small as a model can be."""
    node = helper.make_node("MatMul", ["images", "weights"], ["out"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", None]) for name in ("images", "out")]
    body = helper.make_graph([node], "g", values[:1], values[1:], [numpy_helper.from_array(weights, "weights")])
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


@pytest.mark.parametrize("spoilt", [1e6, np.inf, np.nan])
def test_weights_that_do_not_fit_are_left_as_they_are(spoilt):
    weights = np.ones((SMALL, 2), np.float32)
    weights[3, 1] = spoilt
    (kept,) = onnx.load_from_string(halved(graph(weights))).graph.initializer
    assert kept.data_type == TensorProto.FLOAT
    np.testing.assert_array_equal(numpy_helper.to_array(kept), weights)


def test_small_and_whole_numbers_are_left_as_they_are():
    for weights in (np.ones((4, 2), np.float32), np.ones((SMALL, 2), np.int64)):
        (kept,) = onnx.load_from_string(halved(graph(weights))).graph.initializer
        np.testing.assert_array_equal(numpy_helper.to_array(kept), weights)


def test_halved_twice_it_is_halved_once():
    once = halved(graph(np.ones((SMALL, 2), np.float32)))
    assert halved(once) == once
