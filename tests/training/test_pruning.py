import math

import pytest
import torch

from hangtag.training.pruning import choose


def drawn():
    return torch.Generator().manual_seed(0)


def test_nothing_is_left_out_before_a_loss_is_known():
    kept, weight = choose(torch.full((10,), math.inf), 0.5, 0.1, drawn())
    assert kept.all()
    assert (weight == 1).all()


def test_a_picture_never_seen_is_kept_whatever_the_others_are():
    kept, weight = choose(torch.tensor([math.inf] + [1.0] * 50 + [2.0] * 50), 0.99, 0.1, drawn())
    assert kept[0]
    assert weight[0] == 1
    assert kept[51:].all()
    assert kept[1:51].sum() < 10


@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_the_expected_sum_of_losses_is_that_of_all_pictures(share):
    losses = torch.rand(200_000, generator=torch.Generator().manual_seed(1)) ** 4
    kept, weight = choose(losses, share, 0.5, drawn())
    easy = losses < losses.mean()
    assert kept[~easy].all()
    assert abs(float(kept[easy].float().mean()) - (1 - share)) < 0.01
    assert float((losses * weight)[kept].sum()) == pytest.approx(float(losses.sum()), rel=0.01)


def test_the_last_eighth_of_a_run_sees_every_picture():
    losses = torch.linspace(0, 1, 100)
    assert not choose(losses, 0.5, 0.87, drawn())[0].all()
    assert choose(losses, 0.5, 0.875, drawn())[0].all()
