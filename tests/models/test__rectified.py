"""ReLU and max-pooling give PyTorch's numbers, to the bit, on whichever way they take."""

import pytest
import torch
from torch import nn

from hangtag.models import _kernels, _rectified
from hangtag.models._rectified import MaxPool2d, ReLU

LAYERS = {
    "relu": (ReLU, lambda: nn.ReLU()),
    "pool": (MaxPool2d, lambda: nn.MaxPool2d(2)),
    "pool and relu": (lambda: MaxPool2d(relu=True), lambda: nn.Sequential(nn.MaxPool2d(2), nn.ReLU())),
}


@pytest.fixture
def used(monkeypatch):
    """How often the kernels were asked for; every tensor is worth it."""
    if _kernels.load() is None:
        pytest.skip(_kernels.why_not())
    calls = []
    worth_it = _rectified._worth_it

    def counted(layer, input):
        found = worth_it(layer, input)
        calls.append(found is not None)
        return found

    monkeypatch.setattr(_rectified, "WORTH_IT", 1)
    monkeypatch.setattr(_rectified, "CHANNELS", 1)
    monkeypatch.setattr(_rectified, "_worth_it", counted)
    return calls


def maps(shape, kind, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape, generator=generator).mul(4).round().div(4)  # many equal ones, many zeros
    drawn[torch.rand(shape, generator=generator) < 0.05] = -0.0
    return drawn.to(kind).contiguous(memory_format=torch.channels_last)


def out_and_gradient(layer, input, seed=1):
    input = input.clone().requires_grad_()
    out = layer(input * 1)  # in place needs something that is no leaf
    coming = torch.randn(out.shape, generator=torch.Generator().manual_seed(seed)).to(out.dtype)
    out.backward(coming)
    return out.detach(), input.grad


def same(ours, theirs):
    return torch.equal(ours.nan_to_num(7), theirs.nan_to_num(7)) and torch.equal(ours.isnan(), theirs.isnan())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(3, 5, 6, 6), (2, 33, 7, 5), (1, 1, 2, 2), (4, 64, 3, 4)], ids=str)
def test_numbers_and_gradients_are_those_of_pytorch(shape, kind, name, used):
    ours, theirs = (make() for make in LAYERS[name])
    for mine, other in zip(
        out_and_gradient(ours, maps(shape, kind)), out_and_gradient(theirs, maps(shape, kind)), strict=True
    ):
        assert mine.dtype == kind
        assert same(mine, other)
    assert used == [True]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("number", [float("nan"), -float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_not_hidden(number, kind, name, used):
    ours, theirs = (make() for make in LAYERS[name])
    input = maps((2, 8, 4, 4), kind)
    input[0, :, 1, 1] = torch.tensor(number).copysign(torch.tensor(-1.0 if str(number).startswith("-") else 1.0))
    input[1, :4] = number
    for mine, other in zip(out_and_gradient(ours, input), out_and_gradient(theirs, input), strict=True):
        assert same(mine, other)
    assert used == [True]


def test_dense_layers_are_rectified_too(used):
    input = torch.randn(12, 40, generator=torch.Generator().manual_seed(0))
    for mine, other in zip(out_and_gradient(ReLU(), input), out_and_gradient(nn.ReLU(), input), strict=True):
        assert torch.equal(mine, other)
    assert used == [True]


def test_a_gradient_of_another_layout_is_laid_out_anew(used):
    input = maps((2, 3, 4, 4), torch.float32).requires_grad_()
    for layer in (ReLU(), MaxPool2d(relu=True)):
        out = layer(input * 1)
        coming = torch.arange(out.numel(), dtype=torch.float32).view(out.shape)  # row-major
        (mine,) = torch.autograd.grad(out, input, coming)
        wanted = torch.relu(input) if isinstance(layer, ReLU) else torch.relu(torch.max_pool2d(input, 2))
        (other,) = torch.autograd.grad(wanted, input, coming)
        assert torch.equal(mine, other)
    assert used == [True, True]


def test_judging_and_other_layouts_take_pytorchs_way(used):
    pool = MaxPool2d(relu=True)
    rows = torch.randn(2, 3, 4, 4, requires_grad=True)
    pool(rows)  # row-major: pooled along rows
    every_other = (torch.randn(2, 6, 4, 4, requires_grad=True) * 1)[:, ::2]
    ReLU()(every_other)
    assert not any(used)
    pool.eval()
    pool(maps((2, 3, 4, 4), torch.float32).requires_grad_())
    pool.train()
    with torch.no_grad():
        pool(maps((2, 3, 4, 4), torch.float32))
    assert not any(used)


@pytest.mark.parametrize("shape", [(2, 32, 1, 8), (2, 32, 8, 1)])
def test_maps_too_small_to_pool_are_refused_as_by_pytorch(shape, used):
    with pytest.raises(RuntimeError, match="too small"):
        MaxPool2d(relu=True)(maps(shape, torch.float32).requires_grad_())
    assert not used


def test_a_single_picture_without_a_batch_is_pooled(used):
    assert MaxPool2d()(torch.randn(32, 8, 8, requires_grad=True)).shape == (32, 4, 4)
    assert not used


def test_a_view_of_something_else_is_rectified_in_place(used):
    gradients = []
    for layer in (ReLU(), nn.ReLU(inplace=True)):
        input = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()
        whole = input * 1
        layer(whole.view(2, 12))
        whole.sum().backward()
        assert whole.min() == 0
        gradients.append(input.grad)
    assert torch.equal(*gradients)
    assert used == [True]


def test_small_tensors_and_few_channels_are_not_worth_a_call(monkeypatch):
    assert _rectified._worth_it(ReLU(), torch.zeros(16, requires_grad=True)) is None
    monkeypatch.setattr(_rectified, "_worth_it", None)  # not asked
    few = torch.zeros(64, 6, 28, 28, requires_grad=True).contiguous(memory_format=torch.channels_last)
    assert MaxPool2d()(few).shape == (64, 6, 14, 14)


@pytest.mark.parametrize("model", ["custom_cnn", "fast"])
def test_a_network_takes_the_same_steps_with_and_without(model, monkeypatch, used):
    from hangtag import models
    from hangtag.core.recipe import Part

    def trained():
        torch.manual_seed(0)
        network = models.create(Part(model), 10, 1, 28).to(memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        images = torch.randn(8, 1, 28, 28)
        for _ in range(2):
            with torch.autocast("cpu", torch.bfloat16):
                loss = network(images).float().square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return network.state_dict()

    with_kernels = trained()
    assert any(used)
    monkeypatch.setattr(_rectified, "_worth_it", lambda layer, input: None)
    for name, tensor in trained().items():
        assert torch.equal(tensor, with_kernels[name]), name
