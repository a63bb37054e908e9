"""Gradients of a small network, trained here for a moment on drawn garments."""

import numpy as np
import pytest

pytest.importorskip("captum")
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def trained():
    """(Gradients of a LeNet-5 that has learnt something, pictures, labels)."""
    from hangtag.data.sets.drawn import pictures
    from hangtag.models.lenet5 import LeNet5
    from hangtag.predict.torch import Deployed, normalise
    from hangtag.report.saliency.gradients import Gradients

    split = pictures(600, seed=1)
    torch.manual_seed(0)
    deployed = Deployed(LeNet5(10, 1, 28), [0.3], [0.3], flip_average=False)
    optimiser = torch.optim.Adam(deployed.model.parameters(), 2e-3)
    inputs = normalise(torch.from_numpy(split.images)[:, None].float(), deployed.mean, deployed.std)
    labels = torch.from_numpy(split.labels)
    for step in range(60):
        some = torch.arange(step * 100, step * 100 + 100) % 600
        loss = torch.nn.functional.cross_entropy(deployed.model(inputs[some]), labels[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    deployed.eval()
    right = (deployed.model(inputs).argmax(1) == labels).float().mean()
    assert right > 0.7  # it has learnt
    return Gradients(deployed), split.images[:24], split.labels[:24]


def rank_correlation(first, second):
    """Spearman's, mean over pictures."""
    ranks = [maps.reshape(len(maps), -1).argsort(axis=1).argsort(axis=1) for maps in (first, second)]
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(*ranks, strict=True)])


def test_maps_have_a_value_for_each_pixel_and_are_the_same_again(trained):
    gradients, images, labels = trained
    said = (labels + 1) % 10
    maps = gradients(images, said, labels)
    assert maps.shape == images.shape
    assert maps.min() >= 0
    np.testing.assert_array_equal(maps, gradients(images, said, labels))


def test_maps_of_a_randomised_network_differ(trained):
    """The sanity check of Adebayo et al. 2018: what a map shows must come from what the network has learnt."""
    gradients, images, labels = trained
    said = (labels + 1) % 10
    own = gradients(images, said, labels)
    random = [rank_correlation(own, gradients.randomised(seed)(images, said, labels)) for seed in range(3)]
    assert max(random) < 0.65, random
    assert rank_correlation(own, type(gradients)(gradients.deployed, seed=1)(images, said, labels)) > 0.9


def test_the_sanity_check_catches_a_method_that_shows_the_picture(trained):
    """Integrated gradients, multiplied by the picture, hardly care what the network has learnt."""
    from captum.attr import IntegratedGradients

    gradients, images, labels = trained
    inputs, said, true = (torch.from_numpy(a) for a in (images, (labels + 1) % 10, labels))

    def maps(of):
        method = IntegratedGradients(of._balance)
        found = method.attribute(inputs[:, None].float(), additional_forward_args=(said, true), n_steps=16)
        return found.abs()[:, 0].detach().numpy()

    assert rank_correlation(maps(gradients), maps(gradients.randomised())) > 0.65


def test_what_is_asked_decides_what_is_shown(trained):
    gradients, images, labels = trained
    one, two = gradients(images, (labels + 1) % 10, labels), gradients(images, (labels + 5) % 10, labels)
    assert not np.allclose(one, two)
