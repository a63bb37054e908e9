"""Batch norm with ReLU gives PyTorch's answers, on whichever way it takes."""

import pytest
import torch
from torch import nn

from hangtag import models
from hangtag.core.recipe import Part
from hangtag.models import _kernels, _normed
from hangtag.models._normed import BatchNormReLU

SHAPES = [(3, 5, 6, 6), (2, 33, 7, 5), (2, 1, 1, 1), (40, 64, 3, 4), (5, 32, 28, 28)]


@pytest.fixture
def used(monkeypatch):
    """Which way each answer took: true for the kernels. Every tensor is large enough for them."""
    if _kernels.load() is None:
        pytest.skip(_kernels.why_not())
    calls = []
    worth_it = BatchNormReLU._worth_it

    def counted(layer, input):
        found = worth_it(layer, input)
        calls.append(found is not None)
        return found

    monkeypatch.setattr(_normed, "WORTH_IT", 1)
    monkeypatch.setattr(_normed, "CHANNELS", 1)
    monkeypatch.setattr(BatchNormReLU, "_worth_it", counted)
    return calls


def drawn(shape, seed, kind=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(kind)


def maps(shape, kind=torch.float32, seed=0, mean=2.0):
    return (drawn(shape, seed) * 3 + mean).to(kind).contiguous(memory_format=torch.channels_last)


def pair(channels, kind=torch.float64, **options):
    """Ours, and PyTorch's two layers in `kind` with the same weights."""
    ours, theirs = BatchNormReLU(channels, **options), nn.BatchNorm2d(channels, **options).to(kind)
    with torch.no_grad():
        for name, tensor in (("weight", drawn((channels,), 5) + 1), ("bias", drawn((channels,), 6))):
            getattr(ours, name).copy_(tensor)
            getattr(theirs, name).copy_(tensor)
    return ours, nn.Sequential(theirs, nn.ReLU())


def out_and_gradients(layer, input, coming):
    input = input.clone(memory_format=torch.preserve_format).requires_grad_()
    out = layer(input)
    out.backward(coming.to(out.dtype))
    norm = layer[0] if isinstance(layer, nn.Sequential) else layer
    return {
        "out": out.detach(),
        "of the input": input.grad,
        "of the weight": norm.weight.grad,
        "of the bias": norm.bias.grad,
        "running mean": norm.running_mean,
        "running variance": norm.running_var,
    }


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 8e-3)], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_answers_and_gradients_are_those_of_the_two_layers(shape, kind, tolerance, used):
    ours, theirs = pair(shape[1])
    input, coming = maps(shape, kind), drawn(shape, 1, kind)
    found = out_and_gradients(ours, input, coming)
    wanted = out_and_gradients(theirs, input.double(), coming.double())
    assert found["out"].dtype == found["of the input"].dtype == kind
    for name, tensor in wanted.items():
        most = max(1.0, float(tensor.abs().max()))
        torch.testing.assert_close(found[name].double(), tensor, rtol=tolerance, atol=tolerance * most, msg=name)
    assert ours.num_batches_tracked == 1
    assert used == [True]


def test_a_mean_far_from_zero_takes_nothing_from_the_variance(used):
    ours, theirs = pair(8, momentum=1.0)
    input, coming = maps((16, 8, 9, 9), mean=3000.0), drawn((16, 8, 9, 9), 1)
    found = out_and_gradients(ours, input, coming)["running variance"]
    wanted = out_and_gradients(theirs, input.double(), coming.double())["running variance"]
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=0)
    assert used == [True]


def test_the_same_numbers_with_any_number_of_threads(used):
    shape = (9, 256, 7, 7)  # as wide as networks become: PyTorch adds up the parts
    input, coming = maps(shape, torch.bfloat16), drawn(shape, 1)
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(out_and_gradients(pair(256)[0], input, coming))
    finally:
        torch.set_num_threads(threads)
    for other in found[1:]:
        assert all(torch.equal(found[0][name], other[name]) for name in other)
    assert used == [True] * 3


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_what_is_not_finite_is_not_hidden(kind, number, used):
    ours, _ = pair(8)
    input = maps((4, 8, 4, 4), kind)
    input[1, 3, 2, 2] = number
    found = out_and_gradients(ours, input, drawn((4, 8, 4, 4), 1))
    assert found["out"][:, 3].isnan().any()
    assert found["of the input"][:, 3].isnan().any()
    assert found["of the weight"].isnan().tolist() == [False] * 3 + [True] + [False] * 4
    assert not found["out"][:, [0, 1, 2, 4, 5, 6, 7]].isnan().any()
    assert used == [True]


def outcome(layer, input):
    """What comes of it: an answer and the statistics after it, or a complaint."""
    norm = layer[0] if isinstance(layer, nn.Sequential) else layer
    try:
        out = layer(input)
    except (ValueError, RuntimeError) as error:
        return [type(error), str(error)]
    return [out.dtype, *(tensor.tolist() for tensor in (out, *norm.buffers()))]


SMALL = (4, 8, 4, 4)
ELSEWHERE = {
    "judging": (lambda layer: layer.eval(), maps(SMALL), {}),
    "rows first": (None, drawn(SMALL, 0), {}),
    "another kind of number": (lambda layer: layer.double(), maps(SMALL, torch.float64), {}),
    "weights in bfloat16": (lambda layer: layer.bfloat16(), maps(SMALL, torch.bfloat16), {}),
    "no bias": (lambda layer: setattr(layer, "bias", None) or layer, maps(SMALL), {}),
    "no weights": (None, maps(SMALL), {"affine": False}),
    "no statistics": (None, maps(SMALL), {"track_running_stats": False}),
    "the mean of all batches": (None, maps(SMALL), {"momentum": None}),
    "three dimensions": (None, drawn((8, 4, 4), 0), {}),
    "other channels": (None, maps((4, 7, 4, 4)), {}),
    "no picture": (None, maps((0, 8, 4, 4)), {}),
    "one number a channel": (None, maps((1, 8, 1, 1)), {}),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_elsewhere_it_is_pytorchs_two_layers(name, monkeypatch):
    monkeypatch.setattr(_normed, "WORTH_IT", 0)
    monkeypatch.setattr(_normed, "CHANNELS", 1)
    monkeypatch.setattr(_kernels, "load", lambda: pytest.fail("the kernels were taken"))
    prepare, input, options = ELSEWHERE[name]
    layers = [BatchNormReLU(8, **options), nn.BatchNorm2d(8, **options)]
    ours, theirs = layers if prepare is None else map(prepare, layers)
    assert outcome(ours, input) == outcome(nn.Sequential(theirs, nn.ReLU()), input)


def test_small_maps_and_few_channels_are_pytorchs(monkeypatch):
    monkeypatch.setattr(_kernels, "load", lambda: pytest.fail("the kernels were taken"))
    BatchNormReLU(_normed.CHANNELS)(maps((1, _normed.CHANNELS, 8, 8)))
    BatchNormReLU(_normed.CHANNELS - 1)(maps((99, _normed.CHANNELS - 1, 28, 28)))
    with torch.no_grad():
        BatchNormReLU(32)(maps((99, 32, 28, 28)))


def test_frozen_weights_and_unwanted_gradients_change_nothing(used):
    input, coming = maps(SMALL), drawn(SMALL, 1)
    whole = out_and_gradients(pair(8)[0], input, coming)
    frozen = pair(8)[0].requires_grad_(False)
    leaf = input.clone(memory_format=torch.preserve_format).requires_grad_()
    frozen(leaf).backward(coming)
    assert torch.equal(leaf.grad, whole["of the input"])
    assert frozen.weight.grad is None
    first = pair(8)[0]  # the first layer of a network: nobody asks for the gradient of pictures
    first(input).backward(coming)
    assert torch.equal(first.weight.grad, whole["of the weight"])
    assert used == [True] * 3


def test_a_gradient_that_is_one_number_for_all_is_taken(used):
    found, wanted = pair(8)
    for layer in (found, wanted):
        layer(maps(SMALL).to(layer[0].weight.dtype if layer is wanted else torch.float32)).sum().backward()
    torch.testing.assert_close(found.weight.grad.double(), wanted[0].weight.grad, rtol=1e-4, atol=1e-4)
    assert used == [True]


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16], ids=str)
def test_another_default_kind_of_number_changes_nothing(kind, used):
    input, coming = maps(SMALL), drawn(SMALL, 1)
    wanted = out_and_gradients(pair(8)[0], input, coming)
    layer = pair(8)[0]
    torch.set_default_dtype(kind)
    try:
        found = out_and_gradients(layer, input, coming)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert used == [True] * 2


def test_a_network_learns_the_same_with_and_without(used, monkeypatch):
    """The wide residual network: its loss, its gradients, its statistics."""
    images = drawn((8, 1, 28, 28), 3).contiguous(memory_format=torch.channels_last)
    found = []
    for kernels in (True, False):
        if not kernels:
            monkeypatch.setattr(BatchNormReLU, "_worth_it", lambda layer, input: None)
        torch.manual_seed(0)
        network = models.create(Part("wide_residual"), 10, 1, 28).to(memory_format=torch.channels_last)
        loss = nn.functional.cross_entropy(network(images), torch.arange(8))
        loss.backward()
        gradients = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
        statistics = torch.cat([buffer.flatten() for buffer in network.buffers()])
        found.append((loss.item(), gradients, statistics))
    (ours, mine, seen), (theirs, other, known) = found
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert (mine - other).norm() < 0.02 * other.norm()  # here and there ReLU falls on the other side of zero
    torch.testing.assert_close(seen, known, rtol=1e-4, atol=1e-5)
    assert used == [True] * 13


def test_weights_have_the_names_of_batch_norm():
    assert list(BatchNormReLU(4).state_dict()) == list(nn.BatchNorm2d(4).state_dict())


def test_weights_of_a_network_have_the_names_they_have_with_norm_and_relu_apart():
    names = models.create(Part("wide_residual", depths=(1, 1, 1)), 10, 1, 28).state_dict()
    assert {"features.1.activated.0.weight", "features.1.residual.3.weight"} < set(names)
