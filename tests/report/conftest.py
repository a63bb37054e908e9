"""A shop with a folder of pictures whose names are as nasty as names can be, and models that judge them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from hangtag import data
from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.report import report_on

SIZE = 16
NAMES = ("<img src=x onerror=alert(1)>", "Coat & 'hat'", "Shoe</script><script>alert(2)</script>".replace("/", "∕"))


def pictures(n: int, seed: int, names=NAMES, blur=70.0):
    """(images, labels): each class is bright in its own stripes; so noisy that some can be mistaken."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % len(names)
    images = generator.normal(70, blur, (n, SIZE, SIZE))
    for k in range(len(names)):
        rows = generator.normal(18, 14, np.count_nonzero(labels == k))  # some hardly show it
        images[labels == k, 2 + 4 * (k % 4) : 4 + 4 * (k % 4), 3:13] += rows[:, None, None]
    images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1] = 0, 0, 0, 0
    return images.clip(0, 255).astype(np.uint8), labels.astype(np.int64)


def fill(folder: Path, images, labels, names=NAMES) -> None:
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = folder / names[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f'{i:03}-"><svg onload=alert(3)>&.png')


def linear_model(images, labels, k: int, sharpness: float = 6.0) -> bytes:
    """softmax(pixels / 255 @ weights), fitted by ridge regression: a real graph with the real contract."""
    flat = images.reshape(len(images), -1) / 255.0
    weights = np.linalg.solve(flat.T @ flat + 3 * np.eye(flat.shape[1]), flat.T @ np.eye(k)[labels]) * sharpness
    channels = list(images.shape[3:])
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["floats", "scale"], ["scaled"]),
            helper.make_node("Reshape", ["scaled", "rows"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "linear",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *images.shape[1:3], *channels])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", k])],
        [
            numpy_helper.from_array(np.array(255, np.float32), "scale"),
            numpy_helper.from_array(np.array([-1, flat.shape[1]], np.int64), "rows"),
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString()


HISTORY = [
    {"epoch": i + 1, "loss": 1 / (i + 1), "accuracy": 0.5 + 0.04 * i, "val_loss": 0.4 + (i - 5) ** 2 / 50,
     "val_accuracy": 0.6 + 0.02 * i, "learning_rate": 0.01 * (9 - i) / 9, "seconds": 1.5 * i}
    for i in range(9)
]  # fmt: skip


def write_bundle(folder: Path, content: bytes, names, size=SIZE, **card) -> Path:
    folder.mkdir(parents=True)
    (folder / cards.ONNX).write_bytes(content)
    cards.write(Card(**{"name": "stripes", "class_names": names, "size": size, "colour": False, **card}), folder)
    return folder


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """`data`: the folder; `bundle`: a model of it; `other`: a blunter one; `learnt`: what they learnt from."""
    root = tmp_path_factory.mktemp("shop")
    images, labels = pictures(720, seed=0)
    fill(root / "goods" / "train", images, labels)
    fill(root / "goods" / "test", *pictures(240, seed=1))
    learnt = data.find(str(root / "goods"), size=SIZE).training()
    about = {"name": "goods", "digest": learnt.digest(), "training": 660, "validation": 60}
    training = {"seconds": 75.0, "peak_rss_mb": 480.0, "device": "CPU", "best_epoch": 6, "history": HISTORY}
    names = learnt.class_names
    bundle = write_bundle(
        root / "bundle", linear_model(learnt.images, learnt.labels, 3), names, data=about, training=training
    )
    few = linear_model(learnt.images[::11], learnt.labels[::11], 3)
    other = write_bundle(root / "other", few, names, data=about, name="blunt")
    return SimpleNamespace(root=root, data=str(root / "goods"), bundle=bundle, other=other, learnt=learnt, names=names)


@pytest.fixture(scope="session")
def report(shop):
    """The report on the shop's model."""
    return report_on(shop.bundle, shop.data)


@pytest.fixture
def made(tmp_path):
    """made(images, labels, names, sharpness) -> a report on a model fitted to these pictures and judged on them."""

    def make(images, labels, names, sharpness=6.0, **card):
        fill(tmp_path / "made" / "train", images, labels, names)
        fill(tmp_path / "made" / "test", images, labels, names)
        found = data.find(str(tmp_path / "made"), size=SIZE).training()
        bundle = write_bundle(
            tmp_path / "made-bundle",
            linear_model(found.images, found.labels, len(names), sharpness),
            found.class_names,
            **card,
        )
        return report_on(bundle, str(tmp_path / "made"))

    return make
