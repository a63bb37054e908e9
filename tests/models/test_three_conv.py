import pytest
import torch
from torch import nn

from hangtag import models
from hangtag.core.recipe import Part
from hangtag.models._options import activation_layer, pool_and_activate

ACTIVATIONS = ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_pooling_first_gives_what_activating_first_gives(activation):
    values = torch.randn(4, 3, 8, 8)
    as_published = nn.MaxPool2d(2)(activation_layer(activation)(values.clone()))
    assert torch.equal(nn.Sequential(*pool_and_activate(activation))(values.clone()), as_published)


def test_computes_the_published_network():
    model = models.create(Part("three_conv"), 10, 1, 28).eval()
    images = torch.randn(2, 1, 28, 28)
    first, second, third = [layer for layer in model.features.modules() if isinstance(layer, nn.Conv2d)]
    hidden, last = [layer for layer in model.classifier if isinstance(layer, nn.Linear)]
    maps = nn.functional.max_pool2d(torch.conv2d(images, first.weight, first.bias).relu(), 2)
    maps = nn.functional.max_pool2d(torch.conv2d(maps, second.weight, second.bias).relu(), 2)
    maps = torch.conv2d(maps, third.weight, third.bias).relu()
    expected = last(hidden(maps.flatten(1)).relu())
    torch.testing.assert_close(model(images), expected)


def test_weights_start_as_keras_draws_them():
    torch.manual_seed(0)
    model = models.create(Part("three_conv"), 10, 1, 28)
    hidden = model.classifier[0]
    limit = (6 / (576 + 256)) ** 0.5
    assert 0.98 * limit < hidden.weight.abs().max() <= limit
    assert not hidden.bias.any()


def test_brownlee_starts_from_he_uniform_but_for_the_last_layer():
    torch.manual_seed(0)
    model = models.create(Part("brownlee"), 10, 1, 28)
    he, glorot = (6 / 5408) ** 0.5, (6 / (100 + 10)) ** 0.5
    assert 0.98 * he < model.classifier[0].weight.abs().max() <= he
    assert 0.98 * glorot < model.classifier[3].weight.abs().max() <= glorot
