"""Laying small maps side by side changes how a weight gradient is computed, never what it is."""

import pytest
import torch

from hangtag.models import _narrow
from hangtag.models._convolution import Conv2d


@pytest.mark.parametrize(("kernel", "padding"), [(1, 0), (2, 0), (3, 0), (3, 1), (5, 1), (5, 2)])
@pytest.mark.parametrize("size", [5, 7, 10])
@pytest.mark.parametrize("pictures", [1, 13, 64])
def test_gives_the_gradients_of_a_plain_convolution(pictures, size, kernel, padding, monkeypatch):
    monkeypatch.setattr(_narrow, "ROW", 24)  # so that 13 pictures leave a row unfinished
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(pictures, 3, size, size, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, kernel, kernel, generator=generator, dtype=torch.float64)
    gradients = []
    for convolve in (
        lambda images, weight: torch.conv2d(images, weight, padding=padding),
        lambda images, weight: _narrow._SideBySide.apply(images, weight, (padding, padding)),
    ):
        inputs = images.clone().requires_grad_(), weight.clone().requires_grad_()
        output = convolve(*inputs)
        output.backward(torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
        gradients.append([value.grad for value in inputs])
    torch.testing.assert_close(gradients[1], gradients[0])


def test_the_layer_trains_as_torchs_own_does_in_bf16():
    torch.manual_seed(0)
    ours, plain = Conv2d(8, 16, 3, padding=1), torch.nn.Conv2d(8, 16, 3, padding=1)
    plain.load_state_dict(ours.state_dict())
    images = torch.randn(32, 8, 7, 7)
    for layer in (ours, plain):
        with torch.autocast("cpu", torch.bfloat16):
            output = layer(images)
        assert output.dtype == torch.bfloat16
        output.float().square().mean().backward()
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        assert (mine.grad - theirs.grad).norm() < 0.01 * theirs.grad.norm()


def test_takes_the_other_way_only_where_it_is_quicker(monkeypatch):
    taken = []
    monkeypatch.setattr(_narrow._SideBySide, "apply", lambda images, *rest: taken.append(images.shape[3]) or images)
    layer = Conv2d(4, 4, 3, padding=1)
    layer(torch.randn(2, 4, 7, 7))  # fp32
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.randn(2, 4, 14, 14))  # wide enough
        with torch.no_grad():
            layer(torch.randn(2, 4, 7, 7))
        assert not taken
        layer(torch.randn(2, 4, 7, 7))
    assert taken == [7]
