import torch

from hangtag.models import efficientnet
from hangtag.models.efficientnet import EfficientNet


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
