"""The first layers in one go compute what PyTorch's layers compute, up to the order of their sums."""

import pytest
import torch
from torch import nn

from hangtag import models
from hangtag.core.recipe import Part
from hangtag.models import _kernels
from hangtag.models._stem import Stem


@pytest.fixture
def used(monkeypatch):
    """Whether the kernels were used, call by call."""
    if _kernels.load() is None:
        pytest.skip(_kernels.why_not())
    calls = []
    worth_it = Stem._worth_it

    def counted(self, images):
        calls.append((found := worth_it(self, images)) is not None)
        return found

    monkeypatch.setattr(Stem, "_worth_it", counted)
    return calls


def stem(filters=32):
    torch.manual_seed(0)
    return Stem(1, filters, 3)


def trained(layer, images, bf16):
    """What comes out, and the gradients of weight and bias."""
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        out = layer(images)
    out.float().mul(torch.rand(out.shape)).sum().backward()
    weight, bias = layer.parameters()
    return out.detach(), weight.grad, bias.grad


def plain(layer):
    """PyTorch's layers of the same weights."""
    convolution = nn.Conv2d(1, layer.out_channels, 3)
    convolution.load_state_dict(layer.state_dict())
    return nn.Sequential(convolution, nn.MaxPool2d(2), nn.ReLU())


@pytest.mark.parametrize("shape", [(5, 28, 28), (1, 4, 4), (3, 9, 6), (2, 7, 12)], ids=str)
@pytest.mark.parametrize("filters", [16, 48])
def test_numbers_and_gradients_are_those_of_pytorch(filters, shape, used):
    layer = stem(filters)
    images = torch.randn(shape[0], 1, *shape[1:], generator=torch.Generator().manual_seed(2))
    theirs = trained(plain(layer), images, bf16=False)
    ours = trained(layer, images, bf16=False)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    assert used == [True]


def test_in_bfloat16_it_is_rounded_as_pytorchs_is(used):
    """Its sums are rounded once, as PyTorch's are, so all but ties on the edge of rounding are the same numbers."""
    layer = stem()
    images = torch.randn(64, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    theirs, ours = trained(plain(layer), images, bf16=True), trained(layer, images, bf16=True)
    assert ours[0].dtype == torch.bfloat16
    assert (ours[0] != theirs[0]).float().mean() < 0.001
    assert ours[1].dtype == ours[2].dtype == torch.float32
    assert (ours[1] - theirs[1]).norm() < 0.01 * theirs[1].norm()
    assert (ours[2] - theirs[2]).norm() < 0.01 * theirs[2].norm()
    assert used == [True]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("bf16", [False, True])
def test_what_is_not_finite_is_not_hidden(bf16, number, used):
    layer = stem(16)
    images = torch.ones(2, 1, 8, 8)
    images[0, 0, 3, 3] = number
    theirs = trained(plain(layer), images, bf16=False)[0]  # in bfloat16 PyTorch makes NaN of more than is lost
    ours = trained(layer, images, bf16)[0]
    assert torch.equal(ours.isfinite(), theirs.isfinite())
    assert torch.equal(ours.isnan(), theirs.isnan())
    assert used == [True]


def test_the_same_twice(used):
    images = torch.randn(64, 1, 28, 28)
    for first, second in zip(trained(stem(), images, True), trained(stem(), images, True), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16], ids=str)
def test_another_default_kind_of_number_changes_nothing(kind, used):
    layer, images = stem(), torch.randn(4, 1, 12, 12)
    theirs = trained(plain(layer), images, bf16=False)
    torch.set_default_dtype(kind)
    try:
        ours = trained(layer, images, bf16=False)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(ours[0], theirs[0])
    assert all(tensor.dtype == torch.float32 for tensor in ours)
    assert used == [True]


@pytest.mark.parametrize(
    "why", ["colour", "five_by_five", "no_bias", "odd_filters", "frozen", "judging", "wanted", "float64"]
)
def test_anything_else_takes_pytorchs_way(why, used):
    channels = 3 if why == "colour" else 1
    layer = Stem(channels, 20 if why == "odd_filters" else 16, 5 if why == "five_by_five" else 3)
    images = torch.randn(2, channels, 12, 12)
    if why == "no_bias":
        layer.bias = None
    if why == "frozen":
        layer.weight.requires_grad_(False)
    if why == "judging":
        layer.eval()
    if why == "wanted":
        images.requires_grad_()
    if why == "float64":
        layer, images = layer.double(), images.double()
    wanted = torch.relu(torch.max_pool2d(torch.conv2d(images, layer.weight, layer.bias), 2))
    assert torch.equal(layer(images), wanted)
    assert used == [False]


def test_pictures_and_weights_of_two_kinds_are_refused_as_by_pytorch(used):
    with pytest.raises(RuntimeError, match="type"):
        stem().bfloat16()(torch.randn(2, 1, 8, 8))
    assert used == [False]


@pytest.mark.parametrize("model", ["lenet5", "brownlee", "three_conv", "custom_cnn"])
def test_weights_have_one_name_whatever_the_activation(model):
    names = [list(models.create(Part(model, activation=name), 10, 1, 28).state_dict()) for name in ("relu", "gelu")]
    assert names[0] == names[1]


def test_weights_of_the_three_convolution_network_are_named_as_ever():
    names = list(models.create(Part("three_conv"), 10, 1, 28).state_dict())
    assert [name for name in names if name.endswith("weight")] == [
        *(f"features.{place}.weight" for place in (0, 3, 6)),
        *(f"classifier.{place}.weight" for place in (0, 3)),
    ]
