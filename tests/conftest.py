"""What holds for every test."""

import os
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import pytest

# Several workers share the cores: threads of PyTorch in each would wait for one another, a fifth of the suite's time.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def patience_by_state(monkeypatch):
    """A stopped child alone is given up, however little of a processor the others get."""
    from hangtag.preprocess import decoder

    ticks = count(1)

    def used(pid):
        try:
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:  # it has gone
            return next(ticks)
        return 0 if state == b"T" else next(ticks)

    monkeypatch.setattr(decoder, "_ticks", used)


@pytest.fixture(scope="session")
def browser():
    """A chromium for the whole session: two of Playwright's drivers do not get on in one process."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install 'hangtag[dev]'"
    )
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no chromium to open pages with: apt-get install chromium")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(executable_path=found, args=quiet)
        yield chromium
        chromium.close()


def light_or_dark(size: int, colour: bool, known: bool = False) -> bytes:
    """An ONNX file that says "light" the surer the lighter an image is, and in colour "red" the redder it is.

    With `known` its second output is how light the image is, from 0 to 1.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    shape = ["N", size, size, 3] if colour else ["N", size, size]
    weights = np.array([[-1, 0.5, 2], [-1, 0.5, -1], [-1, 0.5, -1]] if colour else [[-1, 1, -1]], np.float32) / 64
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0),
        *([] if colour else [helper.make_node("Unsqueeze", ["means", "last"], ["column"])]),
        helper.make_node("MatMul", ["means" if colour else "column", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ReduceMean", ["floats", "all"], ["mean"], keepdims=0),
        helper.make_node("Div", ["mean", "most"], ["known"]),
    ]
    constants = {"axes": np.array([1, 2]), "last": np.array([1]), "weights": weights, "most": np.float32(255)}
    constants["all"] = np.array([1, 2, 3] if colour else [1, 2])
    graph = helper.make_graph(
        nodes if known else nodes[:-2],
        "test",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, shape)],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3]),
            *([helper.make_tensor_value_info("known", TensorProto.FLOAT, ["N"])] if known else []),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(made)
    return made.SerializeToString()


@pytest.fixture
def make_member(tmp_path):
    """make_member(name, size, colour, known=False, fields of its card) -> a bundle that is opened."""
    from hangtag.core.card import Card, seal
    from hangtag.predict.bundle import open_bundle

    def make(name, size, colour, known=False, **fields):
        (tmp_path / name).mkdir()
        card = Card(**{"name": name, "class_names": ("dark", "light", "red"), "size": size, "colour": colour, **fields})
        seal(card, tmp_path / name, {"model.onnx": light_or_dark(size, colour, known)})
        return open_bundle(tmp_path / name)

    return make


@pytest.fixture
def whole(tmp_path, make_member):
    """The folder of a bundle with two members: "small" takes grey 28 x 28 images, "photos" colour of 48 x 48."""
    from hangtag.export import members

    parts = {"small": make_member("a", 28, False), "photos": make_member("b", 48, True)}
    members.write("both", parts, tmp_path / "whole")
    return tmp_path / "whole"
