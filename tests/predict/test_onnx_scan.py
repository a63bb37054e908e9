"""No tensor of a model may lie outside its file, wherever in the model it is."""

import time

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hangtag.core.errors import HangtagError
from hangtag.predict.onnx_scan import refuse_external_data


def outside() -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def inside() -> TensorProto:
    return numpy_helper.from_array(np.ones(3, np.float32), "w")


def sparse(values: TensorProto, indices: TensorProto) -> onnx.SparseTensorProto:
    return onnx.SparseTensorProto(values=values, indices=indices, dims=[4])


def graph(*nodes, **fields) -> onnx.GraphProto:
    made = helper.make_graph(list(nodes), "g", [], [])
    for name, value in fields.items():
        getattr(made, name).append(value)
    return made


def node(**attribute) -> onnx.NodeProto:
    made = onnx.NodeProto(op_type="Constant")
    for name, value in attribute.items():
        item = made.attribute.add(name="a")
        field = getattr(item, name)
        field.append(value) if name.endswith("s") else field.CopyFrom(value)
    return made


def function(tensor: TensorProto) -> onnx.FunctionProto:
    return onnx.FunctionProto(name="f", node=[node(t=tensor)])


def training(tensor: TensorProto, field: str) -> onnx.TrainingInfoProto:
    made = onnx.TrainingInfoProto()
    getattr(made, field).CopyFrom(graph(initializer=tensor))
    return made


def default_of_function(tensor: TensorProto) -> onnx.FunctionProto:
    made = onnx.FunctionProto(name="f")
    made.attribute_proto.add(name="a").t.CopyFrom(tensor)
    return made


def model(made: onnx.GraphProto | None = None, **fields) -> bytes:
    whole = helper.make_model(made or graph())
    for name, value in fields.items():
        getattr(whole, name).append(value)
    return whole.SerializeToString()


PLACES = {
    "initialiser": lambda t: model(graph(initializer=t)),
    "sparse values": lambda t: model(graph(sparse_initializer=sparse(t, inside()))),
    "sparse indices": lambda t: model(graph(sparse_initializer=sparse(inside(), t))),
    "attribute": lambda t: model(graph(node(t=t))),
    "attribute list": lambda t: model(graph(node(tensors=t))),
    "sparse attribute": lambda t: model(graph(node(sparse_tensor=sparse(t, inside())))),
    "sparse attribute list": lambda t: model(graph(node(sparse_tensors=sparse(t, inside())))),
    "subgraph": lambda t: model(graph(node(g=graph(initializer=t)))),
    "subgraph list": lambda t: model(graph(node(graphs=graph(node(g=graph(node(t=t))))))),
    "function": lambda t: model(functions=function(t)),
    "function default": lambda t: model(functions=default_of_function(t)),
    "training": lambda t: model(training_info=training(t, "algorithm")),
    "initialisation": lambda t: model(training_info=training(t, "initialization")),
}


def code_of(content: bytes) -> str:
    with pytest.raises(HangtagError) as caught:
        refuse_external_data(content)
    return caught.value.code


@pytest.mark.parametrize("place", PLACES)
def test_finds_a_tensor_outside(place):
    assert code_of(PLACES[place](outside())) == "bundle_unsafe"
    refuse_external_data(PLACES[place](inside()))


@pytest.mark.parametrize("field", ["data_location", "external_data"])
def test_one_sign_of_it_is_enough(field):
    tensor = outside()
    tensor.ClearField(field)
    assert code_of(PLACES["initialiser"](tensor)) == "bundle_unsafe"


def test_finds_it_after_a_run_of_numbers():
    made = node(t=outside())
    numbers = made.attribute.add(name="n")
    numbers.floats.extend([1.0, float("nan")] * 50)
    numbers.ints.extend([0, -1, 2**62])
    made.attribute.insert(0, numbers)
    assert code_of(model(graph(made))) == "bundle_unsafe"


def test_finds_it_below_a_thousand_subgraphs():
    content = graph(initializer=outside()).SerializeToString()

    def field(number: int, body: bytes) -> bytes:
        length, size = b"", len(body)
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + body

    for _ in range(1000):
        content = field(1, field(5, field(6, content)))
    assert code_of(field(7, content)) == "bundle_unsafe"


def test_a_forests_numbers_cost_little():
    made = onnx.NodeProto(op_type="TreeEnsembleClassifier")
    made.attribute.add(name="values").floats.extend(np.random.default_rng(0).normal(size=300_000).tolist())
    made.attribute.add(name="ids").ints.extend(range(300_000))
    content = model(graph(made))
    took = []
    for _ in range(3):
        began = time.process_time()
        refuse_external_data(content)
        took.append(time.process_time() - began)
    assert min(took) < 0.2


@pytest.mark.parametrize(
    "content",
    [
        b"\x3a",  # a graph without length
        b"\x3a\x7f",  # longer than the file
        b"\x08" + b"\xff" * 11,  # a number without end
        b"\x3b",  # a group
        b"\x00\x00",  # field 0
        b"\x38\x01",  # a graph that is a number
        b"\x3d\x00",  # a fixed number cut short
        b"\x0f",  # no such wire type
    ],
)
def test_refuses_what_is_no_protobuf(content):
    assert code_of(content) == "bundle_damaged"


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(sorted(PLACES)), data=st.data())
def test_survives_damage(place, data):
    content = bytearray(PLACES[place](outside()))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        refuse_external_data(bytes(content))
    except HangtagError as error:
        assert error.code in ("bundle_unsafe", "bundle_damaged")  # noqa: PT017
