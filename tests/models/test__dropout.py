"""Drops what PyTorch's dropout would, as often and scaled alike, only sooner."""

import pytest
import torch

from hangtag.models._dropout import WORTH_IT, Dropout


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_drops_the_share_it_was_told_and_scales_what_it_keeps(p, kind):
    torch.manual_seed(0)
    n = 4 * WORTH_IT + 3
    out = Dropout(p)(torch.ones(n, dtype=kind))
    assert set(out.unique().tolist()) == {0.0, torch.tensor(1 / (1 - p), dtype=kind).item()}
    spread = (p * (1 - p) / n) ** 0.5
    assert abs((out == 0).double().mean().item() - p) < 5 * spread + 1 / 65536
    neighbours = (out[1:] == 0) & (out[:-1] == 0)  # four of them come from one draw
    assert abs(neighbours.double().mean().item() - p * p) < 10 * spread + 2 / 65536


def test_nearly_all_is_nearly_all():
    assert 0 <= (Dropout(0.999999)(torch.ones(WORTH_IT)) != 0).sum() < WORTH_IT / 1000


def test_gradients_pass_where_numbers_do():
    numbers = torch.randn(1024, 1025, requires_grad=True)
    out = Dropout(0.5)(numbers)
    out.sum().backward()
    torch.testing.assert_close(numbers.grad, torch.where(out == 0, 0.0, 2.0))


def test_the_same_seed_drops_the_same():
    ones, dropout, found = torch.ones(WORTH_IT), Dropout(0.4), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(dropout(ones))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_few_numbers_judging_and_the_ends_are_pytorchs_own(p):
    few, many = torch.randn(1000), torch.randn(WORTH_IT)
    torch.manual_seed(3)
    ours = Dropout(p)(few)
    torch.manual_seed(3)
    assert torch.equal(ours, torch.nn.Dropout(p)(few))
    assert torch.equal(Dropout(p).eval()(many), many)
    if p in (0, 1):
        assert torch.equal(Dropout(p)(many), torch.nn.Dropout(p)(many))
