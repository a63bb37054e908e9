"""Promises every registered augmentation keeps."""

import inspect

import pytest
import torch

from hangtag import augment
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part

N, CLASSES = 16, 5
MIXES = {"mixup", "cutmix"}  # one picture's result depends on another's, by design


@pytest.fixture(params=augment.register.names())
def name(request):
    return request.param


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def images(request):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (N, request.param, 28, 28), generator=generator).float()


@pytest.fixture
def targets():
    return torch.eye(CLASSES)[torch.arange(N) % CLASSES]


def drawn(augmentation, n=N, epoch=0, seed=0):
    return augmentation.draw(torch.arange(n), 28, epoch, torch.Generator().manual_seed(seed))


def make(name):
    return augment.create((Part(name),))[0]


def test_same_draw_gives_the_same_result(name, images, targets):
    augmentation = make(name)
    first, second = (augmentation.apply(images, targets, drawn(augmentation)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_leaves_its_arguments_as_they_were(name, images, targets):
    augmentation = make(name)
    parameters = drawn(augmentation)
    before = [images.clone(), targets.clone(), {key: value.clone() for key, value in parameters.items()}]
    result, new_targets = augmentation.apply(images, targets, parameters)
    result.mul_(0.5)
    if new_targets is not targets:
        new_targets.mul_(0.5)
    assert torch.equal(images, before[0])
    assert torch.equal(targets, before[1])
    assert all(torch.equal(parameters[key], value) for key, value in before[2].items())


def test_changes_something_and_keeps_shape_and_range(name, images, targets):
    augmentation = make(name)
    result, _ = augmentation.apply(images, targets, drawn(augmentation))
    assert result.shape == images.shape
    assert result.dtype == torch.float32
    assert 0 <= result.min() <= result.max() <= 255
    assert not torch.equal(result, images)


def test_targets_stay_probabilities(name, images, targets):
    augmentation = make(name)
    _, result = augmentation.apply(images, targets, drawn(augmentation))
    assert result.shape == targets.shape
    assert result.min() >= 0
    torch.testing.assert_close(result.sum(dim=1), torch.ones(N))
    assert (name in MIXES) != torch.equal(result, targets)


def test_draws_one_of_everything_per_picture(name):
    assert drawn(make(name))
    assert all(len(value) == N for value in drawn(make(name)).values())


def test_one_picture_does_not_depend_on_the_others(name, images, targets):
    if name in MIXES:
        pytest.skip("mixes pictures in pairs")
    augmentation = make(name)
    parameters = drawn(augmentation)
    together, _ = augmentation.apply(images, targets, parameters)
    alone = [
        augmentation.apply(images[i : i + 1], targets[i : i + 1], {k: v[i : i + 1] for k, v in parameters.items()})[0]
        for i in range(N)
    ]
    torch.testing.assert_close(together, torch.cat(alone))


def test_another_seed_or_epoch_gives_another_draw(name):
    augmentation = make(name)
    first, other = drawn(augmentation), drawn(augmentation, epoch=1, seed=1)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_is_a_frozen_dataclass_named_as_its_file(name):
    made = type(make(name))
    assert made.__module__ == f"hangtag.augment.{name}"
    assert made.__dataclass_params__.frozen
    assert all(parameter.default is not parameter.empty for parameter in inspect.signature(made).parameters.values())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("flip", {"probability": 1.5}),
        ("shift", {"pixels": 0}),
        ("erase", {"probability": -1.0}),
        ("erase", {"area": (0.5, 0.2)}),
        ("erase", {"aspect": (0.0, 1.0)}),
        ("cutout", {"size": 0}),
        ("mixup", {"alpha": 0.0}),
        ("cutmix", {"alpha": -1.0}),
        ("cutmix", {"probability": 2.0}),
        ("affine", {"scale": (0.0, 1.0)}),
        ("affine", {"degrees": 200.0}),
        ("affine", {"shear": 90.0}),
    ],
)
def test_refuses_options_that_mean_nothing(name, options):
    with pytest.raises(HangtagError, match=f"{name}.{next(iter(options))}") as caught:
        augment.create((Part(name, **options),))
    assert caught.value.code == "usage_value"
