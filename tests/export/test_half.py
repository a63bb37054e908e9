"""Half the file, the same labels, and nothing that float16 cannot hold."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from hangtag import models
from hangtag.core.card import Card
from hangtag.core.recipe import Part
from hangtag.data.sets import drawn
from hangtag.export.half import SMALL, TOLERANCE, halved
from hangtag.export.onnx import to_onnx
from hangtag.export.parity import compare
from hangtag.predict.onnx import OnnxPredictor
from hangtag.predict.torch import Deployed


def test_a_network_answers_the_same_from_half_the_bytes():
    torch.manual_seed(0)
    network = models.create(Part("custom_cnn"), 10, 1, 28)
    content = to_onnx(Deployed(network, [0.3], [0.3], flip_average=True).eval(), 28, colour=False)
    half = halved(content)
    assert len(half) < 0.55 * len(content)
    card = Card(name="drawn", class_names=tuple("0123456789"), size=28, colour=False)
    images = drawn.pictures(30, seed=9).images
    parity = compare(OnnxPredictor(half, card), OnnxPredictor(content, card), images, TOLERANCE)
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
