"""A model that never answers costs its caller a line, and an honest one nothing."""

import subprocess
import sys
import threading
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hangtag import predict
from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.predict import deadline
from hangtag.predict.deadline import Deadline
from hangtag.predict.onnx import OnnxPredictor
from hangtag.predict.openvino import OpenvinoPredictor

FOR_EVER = 2**63 - 1


def endless(model: onnx.ModelProto, constant: bool = False) -> onnx.ModelProto:
    """The model with a loop without end before its softmax; a constant one is met when the graph is optimised."""
    value = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")}
    flags = {name: helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("go", "on")}
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["x"], ["y"])],
        "body",
        [count, flags["go"], value["x"]],
        [flags["on"], value["y"]],
    )
    graph = model.graph
    softmax = graph.node.pop()
    start = "nought" if constant else "logits"
    graph.node.append(helper.make_node("Loop", ["times", "true", start], ["looped"], body=body))
    graph.node.append(helper.make_node("Add", ["logits", "looped"], ["sum"]))
    softmax.input[0] = "sum"
    graph.node.append(softmax)
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(FOR_EVER, np.int64), "times"),
            numpy_helper.from_array(np.array(True), "true"),
            numpy_helper.from_array(np.zeros((1, 10), np.float32), "nought"),
        ]
    )
    return model


@pytest.fixture
def endless_bundle(tiny, tmp_path):
    """endless_bundle(constant) -> its folder."""

    def make(constant: bool = False):
        folder = tmp_path / f"endless{constant}"
        folder.mkdir()
        (folder / cards.ONNX).write_bytes(endless(tiny.model(), constant).SerializeToString())
        cards.write(tiny.card(), folder)
        return folder

    return make


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(deadline, "FIRST_S", 0.3)
    monkeypatch.setattr(deadline, "AN_IMAGE_S", 0.01)
    monkeypatch.setattr(deadline, "_CHECK_S", 0.05)
    for name in ("STUCK", "GRACE_S"):  # a busy machine makes wait, and that costs nothing
        monkeypatch.setattr(deadline, name, 10_000.0)


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("constant", [False, True])
def test_a_loop_without_end_is_ended(endless_bundle, impatient, constant, images):
    recogniser = predict.load(endless_bundle(constant))
    for _ in range(2):  # and the next one too
        with pytest.raises(HangtagError, match="gives no answer in 0 s of processor time: its graph seems") as caught:
            recogniser.recognise(np.stack([np.eye(28, dtype=np.uint8) * 255] * images))
        assert caught.value.code == "bundle_timeout"
    assert not deadline.stuck()


@pytest.mark.slow
@pytest.mark.parametrize("constant", [False, True])
def test_openvino_which_cannot_be_ended_is_left_behind_and_the_process_ends(endless_bundle, constant):
    script = f"""
import numpy as np
from hangtag import predict
from hangtag.core.errors import HangtagError
from hangtag.predict import deadline
deadline.FIRST_S, deadline.AN_IMAGE_S, deadline.GRACE_S = {0.3 if constant else 600.0}, 0.01, 0.1
try:
    recogniser = predict.load({str(endless_bundle(constant))!r}, engine="openvino")
    deadline.FIRST_S = 0.3
    try:
        recogniser.predict_proba(np.zeros((1, 28, 28), np.uint8))
    except HangtagError as error:
        assert "gives no answer" in error.message, error
    recogniser.predict_proba(np.zeros((1, 28, 28), np.uint8))
except HangtagError as error:
    print(error.code, error.message)
assert deadline.stuck()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("bundle_timeout model.onnx ")
    assert ("does not open" if constant else "has not ended") in done.stdout


def test_a_model_that_does_not_open_is_given_up(impatient, monkeypatch):
    stopped = threading.Event()
    with pytest.raises(HangtagError, match="does not open") as caught:
        Deadline("model.onnx").opened(lambda: busy(stopped), stopped.set)
    assert caught.value.code == "bundle_timeout"
    assert not deadline.stuck()


def busy(until: threading.Event, seconds: float = 600.0) -> None:
    began = time.monotonic()
    while not until.is_set() and time.monotonic() - began < seconds:
        pass


def test_time_without_a_processor_does_not_count(impatient):
    """So a busy machine, or one that was put to sleep, costs no honest model its answer."""
    assert Deadline("model").answer(lambda: time.sleep(1.0) or 7, lambda: None, 1) == 7


def test_what_waits_and_never_works_is_given_up_in_the_end(impatient, monkeypatch):
    monkeypatch.setattr(deadline, "STUCK", 2.0)
    never = threading.Event()
    with pytest.raises(HangtagError, match="gives no answer"):
        Deadline("model").answer(never.wait, never.set, 1)


def test_a_slow_model_is_given_the_time_its_images_take(impatient):
    slow = Deadline("model")
    slow.answer(lambda: busy(threading.Event(), 0.2), lambda: None, 1)
    assert slow.an_image_s is not None
    assert slow.an_image_s >= 0.2
    slow.answer(lambda: busy(threading.Event(), 1.0), lambda: None, 5)


@pytest.mark.parametrize("engine", [OnnxPredictor, OpenvinoPredictor])
def test_how_long_one_image_takes_is_known_before_many_are_asked(tiny, monkeypatch, engine):
    model, asked = engine(tiny.model().SerializeToString(), tiny.card(), threads=1), []
    answer = model._deadline.answer
    monkeypatch.setattr(model._deadline, "answer", lambda work, stop, n: asked.append(n) or answer(work, stop, n))
    model.predict_proba(np.zeros((70, 28, 28), np.uint8))
    model.predict_proba(np.zeros((2, 28, 28), np.uint8))
    assert asked == [1, 64, 6, 2]


def test_what_goes_wrong_inside_is_raised_outside():
    with pytest.raises(ZeroDivisionError):
        Deadline("model").answer(lambda: 1 // 0, lambda: None, 1)


def test_many_threads_ask_at_once_and_no_thread_is_made_for_each():
    one = Deadline("model")
    one.answer(lambda: None, lambda: None, 1)
    before = threading.active_count()
    for number in range(200):
        assert one.answer(lambda number=number: number, lambda: None, 1) == number
    assert threading.active_count() <= before + 1


def test_who_waits_when_the_process_ends_is_let_go(monkeypatch):
    monkeypatch.setattr(deadline, "_CHECK_S", 0.05)
    stopped, raised = threading.Event(), []

    def ask():
        try:
            Deadline("model").answer(stopped.wait, stopped.set, 1)
        except HangtagError as error:
            raised.append(error.code)

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not deadline._under_way:
        time.sleep(0.01)
    deadline.abandon_all()
    waiting.join()
    assert raised == ["bundle_timeout"]


def test_time_in_which_the_whole_machine_stands_still_does_not_count(impatient, monkeypatch):
    monkeypatch.setattr(deadline, "STUCK", 2.0)
    monkeypatch.setattr(deadline._Run, "elapsed", lambda run: (1_000_000.0, 0.0))  # as after a pause of days
    assert Deadline("model.onnx").answer(lambda: time.sleep(0.1), lambda: None, 1) is None
