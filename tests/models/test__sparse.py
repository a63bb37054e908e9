"""Convolution and ReLU compute what PyTorch's layers compute; their gradients do, up to the order of their sums."""

import pytest
import torch
from torch import nn

from hangtag import models
from hangtag.core.recipe import Part
from hangtag.models import _kernels
from hangtag.models._sparse import RectifiedConv2d


@pytest.fixture
def used(monkeypatch):
    """Whether the kernels were used, call by call."""
    if _kernels.load() is None:
        pytest.skip(_kernels.why_not())
    calls = []
    worth_it = RectifiedConv2d._worth_it

    def counted(self, images):
        calls.append((found := worth_it(self, images)) is not None)
        return found

    monkeypatch.setattr(RectifiedConv2d, "_worth_it", counted)
    return calls


def rectified(channels=32, filters=16, kernel=3, pool=True):
    torch.manual_seed(0)
    return RectifiedConv2d(channels, filters, kernel, pool=pool)


def plain(layer):
    """PyTorch's layers of the same weights."""
    convolution = nn.Conv2d(layer.in_channels, layer.out_channels, 3)
    convolution.load_state_dict(layer.state_dict())
    return nn.Sequential(convolution, *([nn.MaxPool2d(2)] if layer.pool else []), nn.ReLU())


def drawn(shape, seed=2):
    images = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return images.contiguous(memory_format=torch.channels_last)


def trained(layer, images):
    """What comes out, and the gradients of pictures, weight and bias."""
    images = images.clone().requires_grad_()
    out = layer(images)
    out.backward(torch.randn(out.shape, generator=torch.Generator().manual_seed(1)))
    weight, bias = layer.parameters()
    return out.detach(), images.grad, weight.grad, bias.grad


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("pool", [True, False], ids=["pool", "no pool"])
@pytest.mark.parametrize("shape", [(5, 32, 13, 13), (1, 64, 4, 4), (2, 96, 5, 9), (4, 32, 6, 4)], ids=str)
@pytest.mark.parametrize("filters", [16, 33, 64])
def test_numbers_and_gradients_are_those_of_pytorch(filters, shape, pool, threads, used):
    layer = rectified(shape[1], filters, pool=pool)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        theirs, ours = trained(plain(layer), drawn(shape)), trained(layer, drawn(shape))
    finally:
        torch.set_num_threads(before)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    assert used == [True]


@pytest.mark.parametrize("pool", [True, False], ids=["pool", "no pool"])
def test_what_nothing_came_through_learns_nothing(pool, used):
    layer = rectified(pool=pool)
    with torch.no_grad():
        layer.bias[:8] = -1e3
    _, _, of_weight, of_bias = trained(layer, drawn((2, 32, 8, 8)))
    assert of_weight[:8].abs().sum() == of_bias[:8].abs().sum() == 0
    assert (of_weight[8:].abs().sum((1, 2, 3)) > 0).all()
    with torch.no_grad():
        layer.bias.fill_(-1e3)
    assert trained(layer, drawn((2, 32, 8, 8)))[1].abs().sum() == 0
    assert used == [True, True]


@pytest.mark.parametrize("pool", [True, False], ids=["pool", "no pool"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_hidden(number, pool, used):
    layer, images = rectified(pool=pool), drawn((2, 32, 8, 8))
    images[0, 0, 3, 3] = number
    theirs, ours = trained(plain(layer), images), trained(layer, images)
    assert torch.equal(ours[0].isfinite(), theirs[0].isfinite())
    assert not ours[2].isfinite().all()  # a step that goes wrong is seen
    assert used == [True]


def test_pictures_that_want_no_gradient_get_none(used):
    layer, images = rectified(), drawn((2, 32, 8, 8))
    layer(images).sum().backward()
    assert images.grad is None
    assert layer.weight.grad is not None
    assert used == [True]


def test_the_same_twice(used):
    for first, second in zip(*(trained(rectified(), drawn((64, 32, 13, 13))) for _ in range(2)), strict=True):
        assert torch.equal(first, second)
    assert used == [True, True]


def test_gradients_lie_as_the_weights_do(used):
    """Otherwise PyTorch copies them before it adds them, and fused optimisers walk both side by side."""
    layer = rectified().to(memory_format=torch.channels_last)
    layer(drawn((2, 32, 8, 8))).sum().backward()
    assert layer.weight.grad.stride() == layer.weight.stride()
    assert used == [True]


@pytest.mark.parametrize(
    "why", ["few_channels", "rows", "five_by_five", "no_bias", "frozen", "judging", "no_gradients", "float64", "bf16"]
)
def test_anything_else_takes_pytorchs_way(why, used):
    layer = rectified(16 if why == "few_channels" else 32, kernel=5 if why == "five_by_five" else 3)
    images = drawn((2, layer.in_channels, 12, 12))
    if why == "rows":
        images = images.contiguous()
    if why == "no_bias":
        layer.bias = None
    if why == "frozen":
        layer.weight.requires_grad_(False)
    if why == "judging":
        layer.eval()
    if why == "float64":
        layer, images = layer.double(), images.double()
    with torch.set_grad_enabled(why != "no_gradients"), torch.autocast("cpu", torch.bfloat16, enabled=why == "bf16"):
        wanted = torch.relu(torch.max_pool2d(torch.conv2d(images, layer.weight, layer.bias), 2))
        assert torch.equal(layer(images), wanted)
    assert used == [False]


def test_a_network_learns_the_same_with_and_without(monkeypatch, used):
    def losses():
        torch.manual_seed(0)
        network = models.create(Part("three_conv", dropout=0.0), 10, 1, 28).to(memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.02)
        images = drawn((16, 1, 28, 28))
        labels = torch.arange(16) % 10
        found = []
        for _ in range(5):
            loss = nn.functional.cross_entropy(network(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            found.append(loss.item())
        return found

    ours = losses()
    assert used == [True] * 2 * 5
    monkeypatch.setattr(_kernels, "load", lambda: None)
    assert ours == pytest.approx(losses(), rel=1e-3)
    assert ours[-1] < ours[0]
