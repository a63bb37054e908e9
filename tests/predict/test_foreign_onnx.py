import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from hangtag.core.errors import HangtagError
from hangtag.predict.foreign import read

WEIGHTS = np.random.default_rng(0).normal(0, 0.01, (784, 10)).astype(np.float32)
PICTURES = np.random.default_rng(1).integers(0, 256, (5, 28, 28)).astype(np.uint8)


def save(path, shape, kind=TensorProto.FLOAT, *, output=("N", 10), weights=WEIGHTS, inputs=1, label_only=False):
    """pixels @ weights, with any input somebody might have chosen."""
    nodes = [
        helper.make_node("Cast", ["x0"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["floats", "rows"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ]
    answers = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, list(output))]
    if label_only:
        nodes.append(helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0))
        answers = [helper.make_tensor_value_info("label", TensorProto.INT64, ["N"])]
    graph = helper.make_graph(
        nodes,
        "theirs",
        [helper.make_tensor_value_info(f"x{i}", kind, shape) for i in range(inputs)],
        answers,
        [
            *([] if inputs else [numpy_helper.from_array(np.zeros((1, 28, 28), np.float32), "x0")]),
            numpy_helper.from_array(np.array([-1, 784], np.int64), "rows"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.UINT8])
@pytest.mark.parametrize(
    "shape",
    [["N", 28, 28], ["N", 1, 28, 28], ["N", 28, 28, 1], ["N", 784], [None, None, None], ["N", 1, "h", "w"], [1, 28, 28],
     [2, 1, 28, 28]],
)  # fmt: skip
def test_any_usual_input_is_answered_alike(tmp_path, shape, kind):
    model = read(save(tmp_path / "theirs.onnx", shape, kind, output=(None, 10)))
    assert model.takes_bytes == (kind == TensorProto.UINT8)
    assert model.size in (28, None)
    given = PICTURES if model.takes_bytes else PICTURES.astype(np.float32)
    wanted = PICTURES.reshape(5, 784).astype(np.float32) @ WEIGHTS
    np.testing.assert_allclose(model.answer(given), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"shape": ["N", 3, 28, 28]}, "not square grey pictures"),
        ({"shape": ["N", 28, 30]}, "not square grey pictures"),
        ({"shape": ["N", 28, 28], "kind": TensorProto.INT64}, "neither floats nor bytes"),
        ({"shape": ["N", 28, 28], "inputs": 2}, "takes 2 inputs"),
        ({"shape": ["N", 28, 28], "inputs": 0}, "takes 0 inputs"),
        ({"shape": ["N", 28, 28], "label_only": True}, "not with a number per class"),
    ],
)
def test_a_model_of_something_else_says_what_it_takes(tmp_path, options, hint):
    with pytest.raises(HangtagError, match=hint) as caught:
        read(save(tmp_path / "theirs.onnx", **options))
    assert caught.value.code == "bundle_incompatible"
    assert caught.value.message.startswith("theirs.onnx ")


def test_numbers_kept_in_another_file_are_not_fetched(tmp_path):
    import onnx

    path = save(tmp_path / "theirs.onnx", ["N", 28, 28])
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(HangtagError) as caught:
        read(path)
    assert caught.value.code == "bundle_unsafe"


def test_what_is_no_onnx_is_damaged(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"not a model")
    with pytest.raises(HangtagError) as caught:
        read(tmp_path / "x.onnx")
    assert caught.value.code == "bundle_damaged"
