"""What the adapter does where timm imports, and what it says where it does not."""

import importlib
import importlib.util
import sys

import pytest
import torch
from safetensors.torch import save_file

from hangtag import models
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training.start import load, read

NAMES = tuple("abcdefghij")


def timm_or_skip():
    if importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed")
    try:
        return importlib.import_module("timm")
    except Exception as error:
        pytest.skip(f"timm does not import: {error}")


def test_says_plainly_that_timm_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)  # as Python marks what cannot be imported
    with pytest.raises(HangtagError, match=r"hangtag\[timm\]") as caught:
        models.create(Part("timm", model="resnet10t"), 10, 1, 28)
    assert caught.value.code == "extra_missing"


def test_names_what_keeps_an_installed_timm_from_importing(monkeypatch, tmp_path):
    (tmp_path / "timm").mkdir()
    (tmp_path / "timm" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    with pytest.raises(HangtagError, match="torchvision::nms") as caught:
        models.create(Part("timm", model="resnet10t"), 10, 1, 28)
    assert caught.value.code == "extra_broken"


def test_suggests_the_nearest_network():
    timm_or_skip()
    with pytest.raises(HangtagError, match="Did you mean 'resnet14t'") as caught:
        models.create(Part("timm", model="resnet14"), 10, 1, 28)
    assert caught.value.code == "usage_value"


def test_a_network_that_needs_larger_pictures_says_so():
    timm_or_skip()
    with pytest.raises(HangtagError, match="does not take pictures of 28 pixels") as caught:
        models.create(Part("timm", model="inception_v3"), 10, 1, 28)
    assert caught.value.code == "usage_value"


@pytest.mark.parametrize("network", ["resnet10t", "vit_tiny_patch16_224"])
def test_saved_weights_come_back(network, tmp_path):
    timm_or_skip()
    saved, loaded = (models.create(Part("timm", model=network), 10, 1, 32).eval() for _ in range(2))
    save_file(saved.network.state_dict(), tmp_path / "saved.safetensors")
    load(loaded, read(str(tmp_path / "saved.safetensors")), NAMES, freeze=True)
    loaded.classifier.load_state_dict(saved.classifier.state_dict())  # a file does not say which classes it knows
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(saved(images), loaded(images))


def test_weights_of_other_classes_and_colour_are_fitted(tmp_path):
    timm = timm_or_skip()
    colour = timm.create_model("resnet10t", num_classes=1000, in_chans=3)
    save_file(colour.state_dict(), tmp_path / "colour.safetensors")
    grey = models.create(Part("timm", model="resnet10t"), 10, 1, 32)
    load(grey, read(str(tmp_path / "colour.safetensors")), NAMES, freeze=True)
    wanted = colour.conv1[0].weight.sum(dim=1, keepdim=True)
    assert torch.equal(grey.network.conv1[0].weight, wanted)
    assert torch.equal(grey.network.layer1[0].conv1.weight, colour.layer1[0].conv1.weight)


def test_refuses_weights_of_another_network(tmp_path):
    timm_or_skip()
    save_file({"layer.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    network = models.create(Part("timm", model="resnet10t"), 10, 1, 28)
    with pytest.raises(HangtagError, match="fits this network") as caught:
        load(network, read(str(tmp_path / "other.safetensors")), NAMES, freeze=False)
    assert caught.value.code == "bundle_incompatible"
