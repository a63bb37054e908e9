"""A depthwise convolution computes what PyTorch's does, and its gradients take the quick way where they should."""

import io

import pytest
import torch
from torch import nn

from hangtag.models import _depthwise, _kernels
from hangtag.models._depthwise import DepthwiseConv2d
from hangtag.models.efficientnet import EfficientNet


@pytest.fixture
def used(monkeypatch):
    """One entry for each layer's backward that the kernels did."""
    if _kernels.load() is None:
        pytest.skip(_kernels.why_not())
    calls = []
    gradients = _kernels.Kernels.depthwise_gradients

    def counted(*arguments):
        calls.append(arguments[1].shape)
        return gradients(*arguments)

    monkeypatch.setattr(_kernels.Kernels, "depthwise_gradients", counted)
    return calls


def drawn(*shape, seed=0):
    maps = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return maps.contiguous(memory_format=torch.channels_last)


def layers(channels, kernel, stride, padding=None):
    """Ours, and PyTorch's of the same weights in float64, which counts as true."""
    torch.manual_seed(0)
    ours = DepthwiseConv2d(channels, kernel, stride, tensorflow=padding is not None)
    around = nn.Identity() if padding is None else nn.ZeroPad2d((*padding, *padding))
    inside = kernel // 2 if padding is None else 0
    true = nn.Conv2d(channels, channels, kernel, stride, padding=inside, groups=channels, bias=False)
    true.load_state_dict(ours.state_dict())
    return ours, nn.Sequential(around, true.double())


def trained(layer, maps):
    """What comes out, and the gradients of maps and weight."""
    (weight,) = layer.parameters()
    maps = maps.detach().clone(memory_format=torch.preserve_format).to(weight.dtype).requires_grad_()
    layer.zero_grad()
    out = layer(maps)
    out.backward(drawn(*out.shape, seed=1).to(out.dtype))
    return [out.detach(), maps.grad, weight.grad]


@pytest.mark.parametrize("channels", [16, 48])
@pytest.mark.parametrize("side", [1, 2, 3, 4, 7, 14])
@pytest.mark.parametrize("kernel", [1, 3, 5, 11])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_computes_what_pytorch_does(channels, side, kernel, stride, used):
    ours, true = layers(channels, kernel, stride)
    maps = drawn(3, channels, side, side)
    for mine, plain in zip(trained(ours, maps), trained(true, maps), strict=True):
        torch.testing.assert_close(mine, plain.float(), rtol=1e-5, atol=1e-4)  # sums of up to 588 products
    assert len(used) == 1


@pytest.mark.parametrize("channels", [6, 16])  # PyTorch's way and the loops'
@pytest.mark.parametrize(
    ("side", "kernel", "stride", "zeros"),  # before and after, as TensorFlow 2.21 pads
    [(7, 3, 1, (1, 1)), (8, 3, 2, (0, 1)), (7, 3, 2, (1, 1)), (8, 5, 2, (1, 2)), (2, 5, 2, (1, 2)), (6, 3, 3, (0, 0))],
)
def test_pads_as_tensorflow_does(channels, side, kernel, stride, zeros):
    assert _depthwise.same(side, kernel, stride) == zeros
    ours, true = layers(channels, kernel, stride, zeros)
    maps = drawn(3, channels, side, side)
    for mine, plain in zip(trained(ours, maps), trained(true, maps), strict=True):
        assert mine.shape == plain.shape
        torch.testing.assert_close(mine, plain.float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_leaving_out_taps_that_see_only_padding_changes_nothing(side, kernel, stride):
    ours, true = layers(6, kernel, stride)  # so few channels are PyTorch's
    maps = drawn(3, 6, side, side)
    for mine, plain in zip(trained(ours, maps), trained(true, maps), strict=True):
        torch.testing.assert_close(mine, plain.float())


def test_threads_change_no_bit(used):
    ours, _ = layers(48, 5, 1)
    maps, threads = drawn(7, 48, 7, 7), torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(trained(ours, maps)[1:])
    finally:
        torch.set_num_threads(threads)
    for others in results[1:]:
        for mine, first in zip(others, results[0], strict=True):
            assert torch.equal(mine, first)


def test_a_gradient_that_lies_otherwise_is_taken_too(used):
    ours, true = layers(16, 3, 1)
    maps = drawn(2, 16, 5, 5)
    grads = []
    for layer in (ours, true):
        (weight,) = layer.parameters()
        given = maps.detach().clone().to(weight.dtype).requires_grad_()
        layer(given).backward(torch.ones(16, 5, 5, dtype=given.dtype).expand(2, 16, 5, 5))  # strides of nought
        grads.append((given.grad.float(), weight.grad.float()))
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-5, atol=1e-5)
    assert len(used) == 1


@pytest.mark.parametrize(
    "what", ["channels", "kernel", "layout", "bf16", "float64", "autocast", "frozen", "first", "oblong"]
)
def test_what_the_loops_are_not_made_for_is_pytorchs(what, used):
    channels, kernel = (24 if what == "channels" else 16), (13 if what == "kernel" else 3)
    layer, maps = layers(channels, kernel, 1)[0], drawn(2, channels, 6, 6)
    if what == "oblong":
        maps = drawn(2, channels, 9, 4)
    if what == "layout":
        maps = maps.contiguous()
    if what in ("bf16", "float64"):
        layer, maps = layer.to(kind := getattr(torch, {"bf16": "bfloat16"}.get(what, what))), maps.to(kind)
    layer.weight.requires_grad_(what != "frozen")
    maps.requires_grad_(what != "first")
    with torch.autocast("cpu", torch.bfloat16, enabled=what == "autocast"):
        out = layer(maps)
    out.float().sum().backward()
    assert used == []
    assert layer.weight.grad is not None or maps.grad is not None


def test_where_there_are_no_kernels_it_is_pytorchs(monkeypatch):
    monkeypatch.setattr(_depthwise._kernels, "load", lambda: None)
    ours, true = layers(16, 3, 1)
    maps = drawn(2, 16, 6, 6)
    for mine, plain in zip(trained(ours, maps), trained(true, maps), strict=True):
        torch.testing.assert_close(mine, plain.float(), rtol=1e-5, atol=1e-5)


def test_every_depthwise_layer_of_efficientnet_learns_the_quick_way(used):
    network = EfficientNet(10, 1, 28, drop_path=0.0).to(memory_format=torch.channels_last)
    network(drawn(4, 1, 28, 28)).square().mean().backward()
    assert len(used) == 16


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("side", [7, 12, 13])
def test_what_is_exported_pads_as_it_learnt(side):
    """The exporter brings sizes as tensors, and rounds their divisions another way."""
    onnxruntime = pytest.importorskip("onnxruntime")
    ours, _ = layers(16, 5, 2, _depthwise.same(side, 5, 2))
    maps, file = drawn(2, 16, side, side), io.BytesIO()
    torch.onnx.export(ours.eval(), (maps,), file, dynamo=False, input_names=["maps"], dynamic_axes={"maps": {0: "n"}})
    (found,) = onnxruntime.InferenceSession(file.getvalue()).run(None, {"maps": maps.contiguous().numpy()})
    torch.testing.assert_close(torch.from_numpy(found), ours(maps).detach())


def test_is_exported_as_a_plain_convolution(monkeypatch):
    ours, _ = layers(16, 5, 1)
    maps = drawn(2, 16, 2, 2)
    wanted = ours(maps)
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    monkeypatch.setattr(_depthwise, "_filtered", None)  # not asked
    torch.testing.assert_close(ours(maps), wanted)
