"""Promises of the two ways in which the wide residual network halves its maps."""

import torch
from torch import nn

from hangtag import models
from hangtag.core.recipe import Part


def network(**options):
    torch.manual_seed(0)
    return models.create(Part("wide_residual", widths=(8, 16, 24), depths=(1, 1, 1), **options), 10, 1, 28)


def sides(model, size):
    """Of what each convolution puts out: pixels."""
    seen = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda layer, given, out: seen.append(out.shape[-1]))
    model(torch.randn(2, 1, size, size))
    return sorted(set(seen), reverse=True)


def test_either_way_it_has_the_same_weights_under_the_same_names():
    strides, means = network(), network(average=True)
    assert strides.state_dict().keys() == means.state_dict().keys()
    strides.load_state_dict(means.state_dict())


def test_either_way_stages_halve_the_resolution():
    assert sides(network(), 28) == sides(network(average=True), 28) == [28, 14, 7]
    assert sides(network(average=True), 31) == [31, 15, 7]


def test_with_means_no_convolution_leaves_pixels_out():
    strides = {layer.stride for layer in network(average=True).modules() if isinstance(layer, nn.Conv2d)}
    assert strides == {(1, 1)}
    images = torch.randn(2, 1, 28, 28, requires_grad=True)
    network(average=True).eval().features[:-2](images).abs().sum().backward()
    assert (images.grad != 0).all()


def test_a_picture_counts_by_its_means_where_it_is_halved():
    halves = network(average=True).features[2].activated[1]
    maps = torch.randn(2, 8, 28, 28)
    expected = maps.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
    torch.testing.assert_close(halves(maps), expected)
