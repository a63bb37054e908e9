"""Tiny bundles: real ONNX graphs with the real contract, whose answers can be worked out by hand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hangtag.core import card as cards
from hangtag.core.card import Card

NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def tiny_model(size: int = 28, colour: bool = False, num_classes: int = 10, seed: int = 0) -> onnx.ModelProto:
    """softmax(pixels / 255 @ weights): the graph every bundle has, at its smallest."""
    pixels = size * size * (3 if colour else 1)
    weights = np.random.default_rng(seed).normal(0, 0.3, (pixels, num_classes)).astype(np.float32)
    shape = ["N", size, size, 3] if colour else ["N", size, size]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["floats", "scale"], ["scaled"]),
            helper.make_node("Reshape", ["scaled", "rows"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", num_classes])],
        [
            numpy_helper.from_array(np.array(255, np.float32), "scale"),
            numpy_helper.from_array(np.array([-1, pixels], np.int64), "rows"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def tiny_card(size: int = 28, colour: bool = False, num_classes: int = 10) -> Card:
    return Card(name="tiny", class_names=NAMES[:num_classes], size=size, colour=colour)


@pytest.fixture(scope="session")
def tiny() -> SimpleNamespace:
    """`tiny.model(...)` and `tiny.card(...)`, for tests that change them."""
    return SimpleNamespace(model=tiny_model, card=tiny_card)


@pytest.fixture
def make_bundle(tmp_path):
    """make_bundle(folder name, size=..., colour=..., num_classes=...) -> its folder."""

    def make(name: str = "tiny", **options) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / cards.ONNX).write_bytes(tiny_model(**options).SerializeToString())
        options.pop("seed", None)
        cards.write(tiny_card(**options), folder)
        return folder

    return make


@pytest.fixture
def bundle(make_bundle) -> Path:
    return make_bundle()
