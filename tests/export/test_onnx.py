"""The exported graph answers as the network does, for any number of pictures."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from hangtag import models
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.export import onnx
from hangtag.export.parity import compare
from hangtag.predict.onnx import OnnxPredictor
from hangtag.predict.torch import Deployed, TorchPredictor

NAMES = ("a", "b", "c")


def network(colour: bool, flip_average: bool) -> Deployed:
    torch.manual_seed(0)
    channels = 3 if colour else 1
    model = nn.Sequential(
        nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 100, 3)
    )
    model(torch.randn(64, channels, 12, 12))  # statistics other than 0 and 1
    return Deployed(model, [0.3] * channels, [0.4] * channels, flip_average).eval()


def some(n: int, colour: bool = False) -> np.ndarray:
    shape = (n, 12, 12, 3) if colour else (n, 12, 12)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def exported(deployed: Deployed, colour: bool) -> OnnxPredictor:
    content = onnx.to_onnx(deployed, 12, colour)
    return OnnxPredictor(content, Card(name="x", class_names=NAMES, size=12, colour=colour))


@pytest.mark.parametrize(("colour", "flip_average"), [(False, False), (True, True)])
def test_answers_as_the_network_for_any_number_of_pictures(colour, flip_average, capfd):
    deployed = network(colour, flip_average)
    served, trained = exported(deployed, colour), TorchPredictor(deployed, NAMES)
    for n in (0, 1, 3, 130):
        images = some(n, colour)
        np.testing.assert_allclose(served.predict_proba(images), trained.predict_proba(images), atol=1e-6)
    parity = compare(served, trained, some(20, colour))
    assert (parity.n, parity.agreement) == (20, 1.0)
    assert parity.max_abs_difference < 1e-6
    assert capfd.readouterr() == ("", "")  # the exporter keeps to itself


def test_what_cannot_be_exported_is_one_line(capfd):
    class Strange(nn.Module):
        def forward(self, images):
            return torch.linalg.svdvals(images.flatten(1, 2))[:, :3]

    with pytest.raises(HangtagError) as caught:
        onnx.to_onnx(Deployed(Strange(), [0.3], [0.4], False), 12, False)
    assert caught.value.code == "bundle_export_failed"
    assert "\n" not in caught.value.message
    assert capfd.readouterr().out == ""  # the exporter would print its graph, in the midst of our JSON


def test_what_the_exporter_froze_while_it_watched_is_refused():  # it follows one example through the model
    class Choosy(nn.Module):
        def forward(self, images):
            sums = torch.stack([images.sum((1, 2, 3)), images.amax((1, 2, 3)), images.amin((1, 2, 3))], 1)
            return sums if float(images.std()) < 0.1 else sums.flip(1)  # the example is all one grey

    deployed = Deployed(Choosy(), [0.3], [0.4], False)
    with pytest.raises(HangtagError) as caught:
        compare(exported(deployed, False), TorchPredictor(deployed, NAMES), some(20, False))
    assert caught.value.code == "bundle_parity"


def test_without_onnx_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(HangtagError, match=r"hangtag\[train\]") as caught:
        onnx.to_onnx(network(False, False), 12, False)
    assert caught.value.code == "extra_missing"


@pytest.mark.parametrize("name", [name for name in models.register.names() if name != "timm"])
def test_every_model_is_exported_as_it_is(name):
    torch.manual_seed(0)
    deployed = Deployed(models.create(Part(name), 3, 1, 28), [0.3], [0.4], True).eval()
    served = OnnxPredictor(onnx.to_onnx(deployed, 28, False), Card(name=name, class_names=NAMES, size=28, colour=False))
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    assert compare(served, TorchPredictor(deployed, NAMES), images).max_abs_difference < 1e-5
