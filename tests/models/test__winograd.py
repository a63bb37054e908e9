"""Winograd's way with convolutions computes what PyTorch's does, but for rounding, and is taken where it should be."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from hangtag import models
from hangtag.core.recipe import Part
from hangtag.models import _kernels, _winograd
from hangtag.models._convolution import Conv2d
from hangtag.predict.torch import Deployed, TorchPredictor


@pytest.fixture
def used(monkeypatch):
    """Whether the kernels were used, call by call."""
    if _kernels.load() is None:
        pytest.skip(_kernels.why_not())
    calls = []
    kernels_for = _winograd.kernels_for

    def counted(*arguments):
        calls.append((found := kernels_for(*arguments)) is not None)
        return found

    monkeypatch.setattr(_winograd, "kernels_for", counted)
    return calls


def drawn(shape, seed=2):
    images = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)
    return images.contiguous(memory_format=torch.channels_last)


def layers(channels, filters, padding, bias):
    """Ours, and PyTorch's of the same weights in float64, which counts as true."""
    torch.manual_seed(0)
    ours = Conv2d(channels, filters, 3, padding=padding, bias=bias)
    true = nn.Conv2d(channels, filters, 3, padding=padding, bias=bias)
    true.load_state_dict(ours.state_dict())
    return ours.to(memory_format=torch.channels_last), true.double()


def trained(layer, images):
    """What comes out, and the gradients of pictures, weight and bias."""
    images = images.detach().clone().to(layer.weight.dtype).requires_grad_()
    out = layer(images)
    out.backward(drawn(out.shape, seed=1).to(out.dtype))
    return [out.detach(), images.grad, *(parameter.grad for parameter in layer.parameters())]


POINTS = {3: (0, 1, -1, 1 / 2), 4: (0, 1, -1, 2, -2), 7: (0, 1 / 2, -1 / 2, 1, -1, 3 / 2, -3 / 2, 4)}


@pytest.mark.parametrize("tile", _kernels.TILES)
def test_a_filter_is_transformed_into_what_multiplies_its_tiles(tile):
    """The 3 x 3 weights, read as a polynomial, at the points and at infinity, over the product of the distances."""
    weights = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    side = [[x**k / math.prod(x - y for y in POINTS[tile] if y != x) for k in range(3)] for x in POINTS[tile]]
    side = torch.tensor([*side, [0, 0, 1]], dtype=torch.float64)
    worth = side @ weights.view(3, 3) @ side.T
    torch.testing.assert_close(_winograd.transform(tile) @ weights.float(), worth.flatten().float())


def test_tiles_are_those_that_want_the_fewest_multiplications():
    sizes = {3: 3, 4: 4, 5: 7, 6: 7, 7: 7, 8: 4, 9: 3, 12: 4, 13: 7, 14: 7, 16: 4, 28: 7, 32: 7}
    assert {side: _winograd.tile_for(side, side) for side in sizes} == sizes
    assert set(sizes.values()) == set(_kernels.TILES)


SHAPES = [(3, 32, 14, 14), (1, 64, 7, 5), (2, 32, 28, 9), (5, 96, 5, 6), (40, 32, 5, 5)]
PADDED = [(17, 64, 3, 3), (3, 32, 12, 4)]  # without padding they are PyTorch's


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("shape", "padding"), [*((shape, 0) for shape in SHAPES), *((shape, 1) for shape in SHAPES + PADDED)], ids=str
)
@pytest.mark.parametrize("filters", [32, 96])
def test_numbers_and_gradients_are_those_of_pytorch(filters, shape, padding, threads, used):
    ours, true = layers(shape[1], filters, padding, bias=True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = trained(ours, drawn(shape))
    finally:
        torch.set_num_threads(before)
    for mine, wanted in zip(found, trained(true, drawn(shape)), strict=True):
        assert mine.shape == wanted.shape
        assert (mine - wanted).abs().max() < 3e-4 * wanted.abs().max()
    assert used == [True]


@pytest.mark.parametrize("shape", [(300, 64, 3, 3), (37, 32, 20, 16), (37, 32, 22, 18)], ids=str)
def test_many_tiles_are_summed_to_the_end(shape, used):
    """More than fit into scratch at once, and a number of them that leaves a rest everywhere."""
    ours, true = layers(shape[1], 32, 1, bias=False)
    images = drawn(shape)
    for mine, wanted in zip(trained(ours, images), trained(true, images), strict=True):
        assert (mine - wanted).norm() < 5e-5 * wanted.norm()
    assert used == [True]


def test_many_channels_are_multiplied_in_larger_lots(used):
    ours, true = layers(256, 256, 1, bias=False)
    images = drawn((30, 256, 7, 7))
    for mine, wanted in zip(trained(ours, images), trained(true, images), strict=True):
        assert (mine - wanted).norm() < 5e-5 * wanted.norm()
    assert used == [True]


@pytest.mark.parametrize("tile", _kernels.TILES)
def test_numbers_do_not_depend_on_the_number_of_threads(tile, used):
    kernels, images, gradient = _kernels.load(), drawn((19, 64, 14, 14)), drawn((19, 32, 14, 14), seed=1)
    filters = drawn(((tile + 2) ** 2, 32 // kernels.pair, 64, kernels.pair)).contiguous()
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            out = kernels.winograd(images, filters, torch.zeros(32), 1)
            found.append((out, kernels.winograd_weights(images, gradient, 1, tile)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for mine, wanted in zip(found[0], other, strict=True):
            assert torch.equal(mine, wanted)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_hidden(number, used):
    ours, _ = layers(32, 32, 1, bias=False)
    images = drawn((2, 32, 14, 14))
    images[0, 0, 3, 3] = number
    out, _, of_weight = trained(ours, images)
    assert not out[0].isfinite().all()
    assert out[1].isfinite().all()  # nor carried to other pictures
    assert not of_weight.isfinite().all()
    assert used == [True]


def test_only_gradients_that_are_wanted_are_computed(used, monkeypatch):
    ours, _ = layers(32, 32, 1, bias=False)
    asked, kernels = [], _kernels.load()

    def listen(name):
        real = getattr(kernels, name)
        monkeypatch.setattr(kernels, name, lambda *rest: asked.append(name) or real(*rest))

    listen("winograd")
    listen("winograd_weights")
    ours(drawn((2, 32, 8, 8))).sum().backward()
    assert asked == ["winograd", "winograd_weights"]
    asked.clear()
    ours.weight.requires_grad_(False)
    ours(drawn((2, 32, 8, 8)).requires_grad_()).sum().backward()
    assert asked == ["winograd", "winograd"]
    assert used == [True, True]


def test_gradients_lie_as_the_weights_do(used):
    """Otherwise PyTorch copies them before it adds them, and fused optimisers walk both side by side."""
    ours, _ = layers(32, 64, 1, bias=False)
    trained(ours, drawn((2, 32, 8, 8)))
    assert ours.weight.grad.stride() == ours.weight.stride()
    assert used == [True]


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16], ids=str)
def test_another_default_kind_of_number_changes_nothing(kind, used):
    ours, true = layers(32, 32, 1, bias=True)
    images = drawn((2, 32, 8, 8))
    torch.set_default_dtype(kind)
    try:
        found = trained(ours, images)
    finally:
        torch.set_default_dtype(torch.float32)
    for mine, wanted in zip(found, trained(true, images), strict=True):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(mine.double(), wanted, rtol=1e-3, atol=1e-3)
    assert used == [True]


@pytest.mark.parametrize("tile", _kernels.TILES)
def test_no_more_threads_work_than_there_is_scratch_for(tile, used):
    """OpenMP would start as many as it likes; one too many would write past the end."""
    kernels, images = _kernels.load(), drawn((500, 32, 14, 14))  # long enough for all to join in
    filters = drawn(((tile + 2) ** 2, 32 // kernels.pair, 32, kernels.pair)).contiguous()
    size = kernels._scratch[tile](32, 32)
    scratch = torch.full((4 * size,), 7.0)
    out = torch.empty_like(images)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        sizes = (1, 500, 14, 14, 32, 32, 1)
        kernels._call(f"winograd_{tile}", images, images, filters, torch.zeros(32), out, scratch, *sizes)
        wanted = kernels.winograd(images, filters, torch.zeros(32), 1)
    finally:
        torch.set_num_threads(before)
    assert (scratch[size:] == 7).all()
    assert torch.equal(out, wanted)


def test_gradients_are_computed_in_float32_whatever_is_asked_of_others(used):
    ours, true = layers(64, 64, 1, bias=True)
    images = drawn((4, 64, 14, 14)).requires_grad_()
    out = ours(images)
    with torch.autocast("cpu", torch.bfloat16):
        out.backward(drawn(out.shape, seed=1))
    wanted = trained(true, images)
    for mine, other in zip((out.detach(), images.grad, ours.weight.grad, ours.bias.grad), wanted, strict=True):
        assert (mine - other).abs().max() < 3e-4 * other.abs().max()
    assert used == [True]


ELSEWHERE = {
    "few_channels": {"in_channels": 16},
    "odd_filters": {"out_channels": 40},
    "five_by_five": {"kernel_size": 5},
    "one_by_one": {"kernel_size": 1, "padding": 0},
    "stride": {"stride": 2},
    "dilation": {"dilation": 2},
    "groups": {"groups": 2},
    "wide_padding": {"padding": 2},
    "uneven_padding": {"padding": (1, 0)},
    "circular": {"padding_mode": "circular"},
    "same": {"padding": "same"},
}


@pytest.mark.parametrize("why", [*ELSEWHERE, "rows", "narrow", "float64", "bf16", "other_bias"])
def test_anything_else_takes_pytorchs_way(why, monkeypatch):
    monkeypatch.setattr(_winograd, "convolve", lambda *rest: pytest.fail("it was taken"))
    options = {"in_channels": 32, "out_channels": 32, "kernel_size": 3, "padding": 1} | ELSEWHERE.get(why, {})
    torch.manual_seed(0)
    ours, theirs = Conv2d(**options), nn.Conv2d(**options)
    theirs.load_state_dict(ours.state_dict())
    images = drawn((2, options["in_channels"], *((2, 9) if why == "narrow" else (12, 12))))
    if why == "rows":
        images = images.contiguous()
    if why == "float64":
        ours, theirs, images = ours.double(), theirs.double(), images.double()
    if why == "other_bias":
        ours.bias.data = ours.bias.data.double()
        assert _winograd.kernels_for(images, ours.weight, ours.bias, 1) is None
        return  # PyTorch has none of it
    with torch.autocast("cpu", torch.bfloat16, enabled=why == "bf16"):
        assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode], ids=["no_grad", "inference_mode"])
def test_judging_takes_the_same_loops(mode, used):
    ours, true = layers(64, 32, 1, bias=True)
    images = drawn((40, 64, 7, 7))
    with mode():
        out = ours(images)
    wanted = true(images.double())
    assert not out.requires_grad
    assert (out - wanted).abs().max() < 3e-4 * wanted.abs().max()
    assert used == [True]


@pytest.mark.parametrize("name", ["fast", "wide_residual"])
def test_a_runs_validation_takes_them_and_what_a_bundle_is_proved_against_does_not(name, used):
    """Pictures of one channel lie both ways at once: the layout of the weights decides."""
    network = models.create(Part(name, widths=(32, 32, 64)), 10, 1, 28).to(memory_format=torch.channels_last)
    pictures = np.random.default_rng(0).integers(0, 256, (9, 28, 28), dtype=np.uint8)

    def answers():
        deployed = Deployed(network, [0.3], [0.3], flip_average=True)
        return TorchPredictor(deployed, tuple("abcdefghij")).predict_proba(pictures)

    quick = answers()
    assert any(used)
    used.clear()
    network.to(memory_format=torch.contiguous_format)
    np.testing.assert_allclose(quick, answers(), atol=1e-4)
    assert not any(used)


def test_export_writes_a_convolution(used):
    """Tracing must see PyTorch's operation: ours has no name in ONNX."""
    ours, _ = layers(32, 32, 1, bias=False)
    with warnings.catch_warnings(action="ignore"):  # it is on its way out; the exporter still uses it
        traced = torch.jit.trace(ours, drawn((1, 32, 8, 8)), check_trace=False)
    assert "aten::_convolution" in str(traced.inlined_graph)
    assert not used


@pytest.mark.parametrize("name", ["custom_cnn", "fast", "wide_residual"])
def test_a_network_learns_the_same_with_and_without(name, monkeypatch, used):
    def losses():
        torch.manual_seed(0)
        network = models.create(Part(name, dropout=0.0), 10, 1, 28).to(memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
        images, labels, found = drawn((8, 1, 28, 28)), torch.arange(8), []
        for _ in range(3):
            loss = nn.functional.cross_entropy(network(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            found.append(loss.item())
        return found

    ours = losses()
    assert any(used)
    monkeypatch.setattr(_winograd, "kernels_for", lambda *rest: None)
    assert ours == pytest.approx(losses(), rel=1e-3)
