import pytest
import torch
from torch import nn

from hangtag.models import efficientnet
from hangtag.models.efficientnet import EfficientNet, _Depthwise


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_leaving_out_taps_that_see_only_padding_changes_nothing(side, kernel, stride):
    layer = _Depthwise(6, 6, kernel, stride, padding=kernel // 2, groups=6, bias=False)
    images = torch.randn(3, 6, side, side)
    results = []
    for forward in (layer.forward, lambda maps: nn.Conv2d.forward(layer, maps)):
        layer.zero_grad()
        output = forward(images)
        output.square().sum().backward()
        results.append((output.detach(), layer.weight.grad.clone()))
    for mine, plain in zip(*results, strict=True):
        torch.testing.assert_close(mine, plain)


def test_a_dropped_block_is_its_shortcut():
    block = efficientnet._Block(8, 8, 6, 3, 1, drop_path=0.999999, activation="relu").train()
    maps = torch.randn(4, 8, 5, 5)
    assert torch.equal(block(maps), maps)
    assert not torch.equal(block.eval()(maps), maps)


def test_drop_path_grows_from_nothing_in_the_first_block_towards_the_last():
    blocks = [m for m in EfficientNet(10, 1, 28, drop_path=0.2).modules() if isinstance(m, efficientnet._Block)]
    rates = [block.drop_path for block in blocks]
    assert len(blocks) == 16
    assert rates[0] == 0
    assert rates == sorted(rates)
    assert 0.17 < rates[-1] < 0.2
