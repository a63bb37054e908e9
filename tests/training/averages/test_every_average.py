"""Promises every registered average keeps."""

import pytest
import torch
from torch import nn

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training import averages
from hangtag.training.averages.ema import ExponentialMovingAverage
from hangtag.training.averages.lookahead import Lookahead

STEPS = 40


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 3))


def train(model, average, first=0, last=STEPS):
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    for step in range(first, last):
        images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images), torch.arange(8) % 3).backward()
        optimiser.step()
        average.update(model, step, (step + 1) / STEPS)


@pytest.fixture(params=averages.register.names())
def make(request):
    return lambda model: averages.register.get(request.param)(model)


def test_gives_a_whole_state_dict_of_finite_numbers(make):
    model = network()
    average = make(model)
    train(model, average)
    other = network(1)
    other.load_state_dict(average.weights())
    assert all(torch.isfinite(value).all() for value in other.state_dict().values())


def test_follows_the_weights_and_copies_counters(make):
    model = network()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    average = make(model)
    train(model, average)
    assert not torch.equal(average.weights()["3.weight"], start["3.weight"])
    assert not torch.equal(average.weights()["1.running_mean"], start["1.running_mean"])
    assert average.weights()["1.num_batches_tracked"] == STEPS


def test_does_not_share_memory_with_the_model(make):
    model = network()
    average = make(model)
    before = average.weights()["3.weight"].clone()
    with torch.no_grad():
        model[3].weight.zero_()
    assert torch.equal(average.weights()["3.weight"], before)


def test_goes_on_bit_for_bit_from_its_state(make):
    whole, halved = network(), network()
    unbroken = make(whole)
    train(whole, unbroken)
    first = make(halved)
    train(halved, first, last=STEPS // 2 - 3)
    again = network(1)
    again.load_state_dict(halved.state_dict())
    second = make(network(2))
    second.load({name: value.clone() for name, value in first.state().items()})
    train(again, second, first=STEPS // 2 - 3)
    for name, value in unbroken.weights().items():
        assert torch.equal(value, second.weights()[name]), name


def test_ema_of_one_value_is_that_value_and_early_weights_are_forgotten():
    model = network()
    average = ExponentialMovingAverage(model, decay=0.999)
    with torch.no_grad():
        model[3].weight.fill_(2.0)
    for step in range(60):
        average.update(model, step, (step + 1) / 10_000)
    # Without the growing decay 0.999 ** 60 = 94% of the random start would be left.
    torch.testing.assert_close(
        average.weights()["3.weight"], torch.full_like(model[3].weight, 2.0), rtol=1e-3, atol=1e-3
    )


def test_ema_leaves_the_model_alone():
    plain, averaged = network(), network()
    train(plain, ExponentialMovingAverage(network()))
    train(averaged, ExponentialMovingAverage(averaged))
    assert torch.equal(plain[3].weight, averaged[3].weight)


def test_lookahead_pulls_the_model_back_every_few_steps():
    model = network()
    average = Lookahead(model, every=5, decay=0.9)
    slow = average.weights()["3.weight"].clone()
    fast = torch.full_like(slow, 1.0)
    with torch.no_grad():
        model[3].weight.copy_(fast)
    average.update(model, 3, 4 / STEPS)
    assert torch.equal(model[3].weight, fast)
    average.update(model, STEPS - 1, 1.0)  # the last step: 0.9 ** 5 of the slow weights is kept
    torch.testing.assert_close(model[3].weight.detach(), slow.lerp(fast, 1 - 0.9**5))
    assert torch.equal(model[3].weight, average.weights()["3.weight"])


@pytest.mark.parametrize(
    ("name", "options"),
    [("ema", {"decay": 1.0}), ("ema", {"every": 0}), ("lookahead", {"decay": -0.1}), ("lookahead", {"every": 0})],
)
def test_refuses_options_that_mean_nothing(name, options):
    with pytest.raises(HangtagError, match=f"{name}.{next(iter(options))}") as caught:
        Part(name, **options).call(averages.register.get(name), network())
    assert caught.value.code == "usage_value"
