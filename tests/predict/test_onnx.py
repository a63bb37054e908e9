"""Each engine runs the graph its card describes, and no other."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Predictor
from hangtag.predict.onnx import BATCH, OnnxPredictor
from hangtag.predict.openvino import OpenvinoPredictor

ENGINES = (OnnxPredictor, OpenvinoPredictor)
EXACT = {OnnxPredictor: 1e-5, OpenvinoPredictor: 0.02}  # OpenVINO multiplies in bfloat16 where the hardware does


@pytest.fixture(params=ENGINES)
def engine(request) -> type[OnnxPredictor]:
    return request.param


@pytest.fixture
def load(tiny, engine):
    """load(change=..., card size etc.) -> a predictor on the tiny model after `change(model)`."""

    def make(change=lambda model: None, card: dict | None = None, **options) -> OnnxPredictor:
        model = tiny.model(**options)
        change(model)
        return engine(model.SerializeToString(), tiny.card(**(card or options)))

    return make


def pictures(n: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def code_of(action, *arguments) -> str:
    with pytest.raises(HangtagError) as caught:
        action(*arguments)
    assert "\n" not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize(("colour", "shape"), [(False, (28, 28)), (True, (28, 28, 3))])
def test_is_a_predictor_whose_answers_are_the_graphs(load, engine, tiny, colour, shape):
    predictor = load(colour=colour)
    images = pictures(5, *shape)
    (weights,) = (
        numpy_helper.to_array(item) for item in tiny.model(colour=colour).graph.initializer if item.name == "weights"
    )
    logits = (images.reshape(5, -1) / np.float32(255)) @ weights
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    assert isinstance(predictor, Predictor)
    assert predictor.class_names == tiny.card().class_names
    answer = predictor.predict_proba(images)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected, atol=EXACT[engine])


@pytest.mark.parametrize("n", [0, 1, BATCH - 1, BATCH, 2 * BATCH + 1])
def test_takes_any_number_of_pictures(load, n):
    images = pictures(n, 28, 28)
    answer = load().predict_proba(images)
    assert answer.shape == (n, 10)
    if n:  # the last of many is judged as it would be alone
        np.testing.assert_allclose(answer[-1:], load().predict_proba(images[-1:]), atol=1e-6)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 27, 28), np.uint8),
        np.zeros((28, 28), np.uint8),
        np.zeros((2, 28, 28, 3), np.uint8),
        np.zeros((2, 28, 28), np.float32),
    ],
    ids=lambda images: f"{images.dtype}{images.shape}",
)
def test_says_what_pictures_it_takes(load, images):
    predictor = load()
    with pytest.raises(HangtagError, match="takes uint8 N x 28 x 28, not"):
        predictor.predict_proba(images)


@pytest.mark.parametrize(
    ("change", "card"),
    [
        (lambda model: None, {"size": 32}),
        (lambda model: None, {"colour": True}),
        (lambda model: None, {"num_classes": 9}),
        (lambda model: renamed(model, "images", "pictures"), {}),
        (lambda model: renamed(model, "probabilities", "logits_out"), {}),
        (lambda model: set_type(model.graph.input[0], TensorProto.FLOAT), {}),
        (lambda model: ask_for_scale(model), {}),
        (lambda model: fix_batch(model), {}),
    ],
    ids=["size", "colour", "classes", "input name", "output name", "input type", "second input", "fixed batch"],
)
def test_refuses_a_graph_that_is_not_what_its_card_says(load, change, card):
    assert code_of(lambda: load(change, card)) == "bundle_incompatible"


def renamed(model: onnx.ModelProto, old: str, new: str) -> None:
    for value in (*model.graph.input, *model.graph.output):
        value.name = new if value.name == old else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]


def set_type(value: onnx.ValueInfoProto, kind: int) -> None:
    value.type.tensor_type.elem_type = kind


def ask_for_scale(model: onnx.ModelProto) -> None:
    del model.graph.initializer[0]
    model.graph.input.append(helper.make_tensor_value_info("scale", TensorProto.FLOAT, []))


def fix_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def test_refuses_a_model_that_answers_nan(load):
    def poison(model):
        weights = numpy_helper.to_array(model.graph.initializer[2]).copy()
        weights[0, 0] = np.nan
        model.graph.initializer[2].CopyFrom(numpy_helper.from_array(weights, "weights"))

    predictor = load(poison)
    assert code_of(predictor.predict_proba, pictures(1, 28, 28)) == "bundle_damaged"


def test_refuses_a_model_that_answers_logits(load):
    def unsquashed(model):
        model.graph.node[-1].CopyFrom(helper.make_node("Identity", ["logits"], ["probabilities"]))

    assert code_of(load(unsquashed).predict_proba, pictures(4, 28, 28)) == "bundle_damaged"


def test_refuses_external_data_though_the_file_is_there(tiny, engine, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    onnx.save(tiny.model(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    assert code_of(engine, path.read_bytes(), tiny.card()) == "bundle_unsafe"


@pytest.mark.parametrize("content", [b"", b"\x08", b"not a model", bytes(100), b"\x20\0\0\0ORTM" + bytes(100)])
def test_refuses_what_is_no_model(tiny, engine, content):
    assert code_of(engine, content, tiny.card()) == "bundle_damaged"


def test_refuses_operations_nobody_knows(load):
    def foreign(model):
        model.graph.node[-1].domain = "evil.example"
        model.opset_import.add(domain="evil.example", version=1)

    assert code_of(lambda: load(foreign)) == "bundle_damaged"


def test_says_nothing_on_standard_error(load, engine, capfd):
    load().predict_proba(pictures(1, 28, 28))
    code_of(lambda: engine(b"\x08", Card(name="x", class_names=("a", "b"), size=28, colour=False)))
    assert capfd.readouterr() == ("", "")


def test_needs_no_onnx_package():
    script = "import sys, hangtag.predict.onnx; print(sorted({'onnx', 'torch', 'PIL', 'google'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_threads_may_share_one(load):
    """A server asks from several at once."""
    from concurrent.futures import ThreadPoolExecutor

    predictor = load()
    parts = [np.random.default_rng(i).integers(0, 256, (3, 28, 28)).astype(np.uint8) for i in range(8)]
    alone = [predictor.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(8) as askers:
        together = list(askers.map(predictor.predict_proba, parts * 20))
    for one, other in zip(alone * 20, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def with_known(model: onnx.ModelProto, kind: int = TensorProto.FLOAT, shape: tuple = ("N",), scale: float = 1) -> None:
    """A second output, `known`: the mean of the pixels in [0, 1], times `scale`."""
    axes, factor = np.array([1, 2], np.int64), np.array(scale, np.float32)
    model.graph.initializer.extend([numpy_helper.from_array(axes, "axes"), numpy_helper.from_array(factor, "factor")])
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["scaled", "axes"], ["mean"], keepdims=len(shape) > 1),
            helper.make_node("Mul", ["mean", "factor"], ["multiplied"]),
            helper.make_node("Cast", ["multiplied"], ["known"], to=kind),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("known", kind, shape))


def test_how_known_an_image_is_comes_from_the_same_run(load, engine):
    images = pictures(BATCH + 3, 28, 28)
    probabilities, known = load(with_known).predict_known(images)
    np.testing.assert_allclose(known, images.mean((1, 2)) / 255, atol=EXACT[engine])
    assert known.shape == (BATCH + 3,)
    assert (probabilities == load().predict_proba(images)).all()
    assert (probabilities == load(with_known).predict_proba(images)).all()


def test_a_graph_that_does_not_say_how_known_an_image_is_is_fine(load):
    assert load().predict_known(pictures(2, 28, 28))[1] is None


@pytest.mark.parametrize("fault", [{"kind": TensorProto.DOUBLE}, {"shape": ("N", 1, 1)}])
def test_how_known_an_image_is_should_be_one_number_each(load, fault):
    assert code_of(load, lambda model: with_known(model, **fault)) == "bundle_incompatible"


@pytest.mark.parametrize("scale", [float("nan"), -1, 3])
def test_how_known_an_image_is_should_be_a_probability(load, scale):
    predictor = load(lambda model: with_known(model, scale=scale))
    assert code_of(predictor.predict_proba, pictures(2, 28, 28)) == "bundle_damaged"
