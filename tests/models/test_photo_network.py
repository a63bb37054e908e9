"""What ImageNet taught stays in the network that goes on from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hangtag import models
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.models.photo_network import FROZEN, KIND_OF_CLASS, KINDS, PhotoNetwork
from hangtag.training.start import Start, load


def build(classes: int = 11, **options) -> PhotoNetwork:
    torch.manual_seed(0)
    return models.create(Part("photo_network", side=32, **options), classes, 3, 32)


def started(**options) -> PhotoNetwork:
    """A network that goes on from weights with a head of a thousand classes, as ImageNet's are."""
    torch.manual_seed(1)
    origin = models.create(Part("efficientnet_lite"), 1000, 3, 32)
    model = build(**options)
    load(model, Start("test", "", origin.state_dict()), ("x",) * 11, freeze=False)
    return model


def images() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(6, 3, 32, 32)).astype(np.float32))


def test_the_head_of_a_thousand_classes_is_taken_over():
    model = started()
    origin = models.create(Part("efficientnet_lite"), 1000, 3, 32)
    assert model.imagenet.weight.shape == origin.classifier[1].weight.shape
    torch.manual_seed(1)
    assert torch.equal(
        model.imagenet.weight, models.create(Part("efficientnet_lite"), 1000, 3, 32).classifier[1].weight
    )


def test_early_stages_and_statistics_stay_and_late_stages_move():
    model = started()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        loss = model(images()).square().mean() + model.penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = model.state_dict()
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    early = {name for name in after if name.startswith("features.") and int(name.split(".")[1]) < FROZEN}
    assert not moved & early
    assert not {name for name in moved if "running" in name or "num_batches" in name or name.startswith("imagenet")}
    assert any(name.startswith(f"features.{FROZEN}.") for name in moved)


def test_leaving_what_imagenet_predicts_costs_more_the_farther():
    model = started()
    model.train()
    model(images())
    assert model.penalty.item() == pytest.approx(0, abs=1e-5)
    costs = []
    for _ in range(2):
        with torch.no_grad():
            for parameter in model.features[FROZEN:].parameters():
                parameter.add_(torch.randn_like(parameter) * 0.02)
        model(images())
        costs.append(model.penalty.item())
    assert 0 < costs[0] < costs[1]


def test_it_costs_as_much_as_is_said_and_nothing_where_nothing_is_kept():
    costs = {}
    for keep in (0.0, 1.0, 3.0):
        model = started(keep=keep)
        model.train()
        with torch.no_grad():
            model.features[FROZEN].body[0].weight.mul_(1.5)
        model(images())
        costs[keep] = None if model.penalty is None else model.penalty.item()
    assert costs[0.0] is None
    assert costs[3.0] == pytest.approx(3 * costs[1.0])


def test_without_a_start_nothing_is_kept():
    model = build()
    model.train()
    model(images())
    assert model.penalty is None
    assert all(parameter.requires_grad for parameter in model.features.parameters())


def test_the_prior_raises_the_classes_of_the_likeliest_kind_and_leaves_other():
    model = started(prior=0.5).eval()
    plain = started(prior=0.0).eval()
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        given = plain(images()).log_softmax(1)
        raised = model(images())
        thousand = plain.imagenet(plain.features(images()))
    kinds = torch.stack([thousand[:, list(kind)].amax(1) for kind in KINDS], dim=1).argmax(1)
    difference = raised - given
    assert torch.allclose(difference[:, 10], torch.zeros(6), atol=1e-5)
    assert (difference <= 1e-5).all()
    for row, kind in zip(difference, kinds.tolist(), strict=True):
        of_kind = [label for label, its in enumerate(KIND_OF_CLASS) if its == kind]
        assert torch.allclose(row[of_kind], torch.zeros(len(of_kind)), atol=1e-5)


def test_a_prior_for_other_classes_is_refused():
    with pytest.raises(HangtagError, match="ten classes") as caught:
        build(classes=7, prior=0.4)
    assert caught.value.code == "usage_value"
