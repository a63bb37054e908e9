"""Promises every registered model keeps. A new model is covered the moment it is registered."""

import copy
import importlib.util

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from hangtag import models
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part, options_of
from hangtag.training.machine import fast_bf16

CLASSES = 7


def part(name):
    """timm needs to be told which of its networks is meant."""
    if name == "timm":
        if importlib.util.find_spec("timm") is None:
            pytest.skip("timm is not installed")
        try:
            importlib.import_module("timm")
        except Exception as error:
            pytest.skip(f"timm does not import: {error}")
        return Part("timm", model="resnet10t")
    return Part(name)


def pictures(n=8, channels=1, size=28, seed=3):
    """Smooth and mostly background, as normalised garments are."""
    noise = torch.randn(n, channels, size + 4, size + 4, generator=torch.Generator().manual_seed(seed))
    return (avg_pool2d(noise, 5, stride=1) * 4).clamp(min=-0.8)


def build(name, classes=CLASSES, channels=1, size=28, seed=0):
    torch.manual_seed(seed)
    model = models.create(part(name), classes, channels, size)
    if hasattr(model, "prepare"):
        with torch.no_grad():
            model.prepare(pictures(256, channels, size))
    return model


# Those of tests/training, which begin with "test_", may be registered already when this is collected.
@pytest.fixture(params=[name for name in models.register.names() if not name.startswith("test_")])
def name(request):
    return request.param


def test_gives_one_logit_per_class(name):
    assert build(name)(pictures()).shape == (8, CLASSES)


def test_takes_colour(name):
    assert build(name, channels=3)(pictures(channels=3)).shape == (8, CLASSES)


def test_judges_each_picture_on_its_own(name):  # a shirt must not become a coat because a boot shared its batch
    model = build(name).eval()
    with torch.no_grad():
        together, alone = model(pictures())[:1], model(pictures()[:1])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)


def test_has_the_number_of_parameters_it_states(name):
    stated = models.register.facts(name).get("num_params")
    if stated is None:
        assert name == "timm", "only an adapter may leave its size open"
        return
    assert sum(parameter.numel() for parameter in build(name, classes=10).parameters()) == stated


def test_is_defined_in_the_file_of_its_name(name):
    assert models.register.get(name).__module__ == f"hangtag.models.{name}"


def test_same_seed_gives_the_same_weights_and_another_seed_others(name):
    first, again, other = (build(name, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_gradient_reaches_every_parameter(name):
    model = build(name).eval()  # nothing dropped, so nothing is unreached by chance
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(2):  # some networks start branches at zero, which block what lies before them for one step
        optimiser.zero_grad()
        model(pictures()).square().sum().backward()
        optimiser.step()
    unreached = [
        key
        for key, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    assert unreached == []


def test_can_tell_a_handful_of_pictures_apart(name):
    model = build(name).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout | nn.Dropout2d):
            layer.p = 0.0
    images, labels = pictures(), torch.arange(8) % CLASSES
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(8):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert min(losses[4:]) < losses[0] - 0.1  # knowing only how often each class comes would gain 0.04


def test_bf16_and_fp32_agree_layer_by_layer(name):
    """Forward and backward of every layer, from the same input: wrong narrow convolutions would show here.

    Inputs are representable in bf16, so both precisions see the same numbers and pool the same pixels. Of layers that
    are alike, with inputs of one shape, the first is looked at: it has the others' kernels.
    """
    model = build(name).to(memory_format=torch.channels_last).train()
    seen = {}
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs, key=key: seen.update({key: inputs[0].detach().clone()}))
        for key, layer in model.named_modules()
        if not list(layer.children())
    ]
    with torch.no_grad():  # kernels are chosen by size; without matrix tiles bf16 takes ten times as long
        model(pictures(64 if fast_bf16(torch.device("cpu")) else 8))
    for hook in hooks:
        hook.remove()
    layers = dict(model.named_modules())
    assert any(isinstance(layers[key], nn.Conv2d | nn.Linear) for key in seen)
    alike = {(repr(layers[key]), value.shape): key for key, value in reversed(seen.items())}
    for key in alike.values():
        value = seen[key]
        if (
            isinstance(layers[key], nn.Dropout | nn.Dropout2d | nn.Identity | nn.Flatten)
            or not value.is_floating_point()
        ):
            continue
        value = value.bfloat16().float()
        gradient = None
        results = []
        for bf16 in (False, True):
            layer = copy.deepcopy(layers[key])
            images = value.clone(memory_format=torch.preserve_format).requires_grad_()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                output = layer(images * 1)  # a copy: some activations write in place
            if gradient is None:
                gradient = torch.randn(output.shape, generator=torch.Generator().manual_seed(5))
            output.float().backward(gradient)
            grads = {f"gradient of {k}": p.grad for k, p in layer.named_parameters() if p.grad is not None}
            results.append({"output": output.detach(), "gradient of input": images.grad, **grads})
        for what, exact in results[0].items():
            error = (results[1][what].float() - exact).norm() / (exact.norm() + 1e-6)
            assert error < 0.02, f"{key} ({layers[key]}): {what} is off by {error:.1%} in bf16"


def test_refuses_an_unknown_option(name):
    with pytest.raises(HangtagError) as caught:
        models.create(Part(name, colour_of_the_sky=3), CLASSES, 1, 28)
    assert caught.value.code == "usage_unknown_key"


OPTIONS = [
    ("lenet5", {"filters": (4, 8)}),
    ("lenet5", {"kernel": 3}),
    ("lenet5", {"dense": (60, 40)}),
    ("lenet5", {"dropout": 0.5}),
    ("lenet5", {"activation": "tanh"}),
    ("brownlee", {"filters": (16, 16)}),
    ("brownlee", {"kernel": 5}),
    ("brownlee", {"dense": 50}),
    ("brownlee", {"dropout": 0.5}),
    ("brownlee", {"activation": "gelu"}),
    ("three_conv", {"filters": (16, 32)}),
    ("three_conv", {"kernel": 2}),
    ("three_conv", {"dense": 64}),
    ("three_conv", {"dropout": 0.0}),
    ("three_conv", {"activation": "silu"}),
    ("custom_cnn", {"filters": (16, 32)}),
    ("custom_cnn", {"kernel": 5}),
    ("custom_cnn", {"dense": 64}),
    ("custom_cnn", {"dropout": 0.0}),
    ("custom_cnn", {"activation": "elu"}),
    ("efficientnet", {"filters": (8, 8, 16, 16, 24, 24, 32, 32)}),
    ("efficientnet", {"strides": (2, 2, 2, 2, 2, 1, 1, 1)}),
    ("efficientnet", {"dropout": 0.0}),
    ("efficientnet", {"drop_path": 0.8}),
    ("efficientnet", {"activation": "relu"}),
    ("efficientnet_lite", {"side": 40}),
    ("efficientnet_lite", {"dropout": 0.0}),
    ("photo_network", {"side": 40}),
    ("photo_network", {"dropout": 0.0}),
    ("fast", {"widths": (16, 32, 32)}),
    ("fast", {"depths": (1, 2, 2)}),
    ("fast", {"grids": (0, 7, 3)}),
    ("fast", {"dense": 16}),
    ("fast", {"dropout": 0.5, "dense": 16}),  # drops what the hidden layer reads and gives
    ("mlp", {"dense": (64,)}),
    ("mlp", {"dropout": 0.0}),
    ("mlp", {"activation": "leaky_relu"}),
    ("wide_residual", {"widths": (16, 32, 64)}),
    ("wide_residual", {"depths": (1, 2, 2)}),
    ("wide_residual", {"average": True}),
    ("wide_residual", {"dropout": 0.5}),
]


# They need weights to start from, and ten classes: tests/models/test_photo_network.py.
TRIED_ELSEWHERE = {"photo_network": {"keep", "prior"}}


def test_every_option_of_every_model_is_tried():
    for name in models.register.names():
        if name != "timm" and not name.startswith("test_"):
            tried = {next(iter(options)) for other, options in OPTIONS if other == name}
            assert tried | TRIED_ELSEWHERE.get(name, set()) == options_of(models.register.get(name)).keys(), name


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=[f"{name}-{next(iter(o))}" for name, o in OPTIONS])
def test_an_option_changes_the_model(name, options):
    outputs = []
    _, *beside = options  # what one option needs to have an effect stands behind it
    for chosen in (Part(name, **{other: options[other] for other in beside}), Part(name, **options)):
        torch.manual_seed(0)
        model = models.create(chosen, CLASSES, 1, 28).train()
        torch.manual_seed(1)
        with torch.no_grad():
            outputs.append(model(pictures()))
    assert not torch.equal(*outputs)


BAD = [
    ("lenet5", {"filters": (6,)}, "filters"),
    ("lenet5", {"kernel": 4}, "odd"),
    ("brownlee", {"dense": 0}, "dense"),
    ("brownlee", {"filters": (0,)}, "filters"),
    ("three_conv", {"dropout": 1.0}, "dropout"),
    ("three_conv", {"kernel": 9}, "smaller kernel"),
    ("three_conv", {"kernel": 0}, "kernel"),
    ("three_conv", {"filters": ()}, "filters"),
    ("three_conv", {"activation": "rel"}, "relu"),
    ("three_conv", {"filters": 32}, "filters"),
    ("custom_cnn", {"filters": (8,) * 6}, "fewer filters"),
    ("custom_cnn", {"dropout": -0.1}, "dropout"),
    ("efficientnet", {"strides": (1, 2)}, "8 whole numbers"),
    ("efficientnet", {"drop_path": 1.5}, "drop_path"),
    ("efficientnet_lite", {"side": 0}, "side"),
    ("efficientnet_lite", {"dropout": 1.0}, "dropout"),
    ("photo_network", {"prior": -1.0}, "prior"),
    ("photo_network", {"keep": -1.0}, "keep"),
    ("mlp", {"dense": (64, -1)}, "dense"),
    ("fast", {"grids": (7, 7)}, "3 stages"),
    ("fast", {"grids": (0, 0, 0)}, "above 0"),
    ("fast", {"dense": -1}, "dense"),
    ("fast", {"dropout": 1.0}, "dropout"),
    ("fast", {"depths": (1, 1)}, "3 widths but 2 depths"),
    ("wide_residual", {"depths": (1, 1)}, "3 widths but 2 depths"),
    ("wide_residual", {"widths": (0, 1, 1)}, "widths"),
    ("wide_residual", {"dropout": 1.0}, "dropout"),
    ("wide_residual", {"widths": (8,) * 7, "depths": (1,) * 7}, "fewer widths"),
]


@pytest.mark.parametrize(("name", "options", "says"), BAD)
def test_refuses_a_bad_option_with_a_cure(name, options, says):
    with pytest.raises(HangtagError, match=says) as caught:
        models.create(Part(name, **options), CLASSES, 1, 28)
    assert caught.value.code == "usage_value"


@pytest.mark.parametrize(
    "name", ["lenet5", "brownlee", "three_conv", "custom_cnn", "efficientnet", "fast", "mlp", "wide_residual"]
)
def test_takes_other_sizes(name):
    assert build(name, size=37)(pictures(size=37)).shape == (8, CLASSES)


@pytest.mark.parametrize("name", ["lenet5", "brownlee", "three_conv", "custom_cnn", "fast", "wide_residual"])
def test_refuses_pictures_that_nothing_would_be_left_of(name):
    with pytest.raises(HangtagError, match="too small") as caught:
        models.create(Part(name), CLASSES, 1, 2)
    assert caught.value.code == "usage_value"


def test_its_classifier_is_all_that_knows_the_classes_and_holds_no_convolution(name):
    few, many = build(name, classes=3).state_dict(), build(name, classes=9)
    differing = {key for key, value in many.state_dict().items() if few[key].shape != value.shape}
    names = models.classifier_names(many)
    assert differing
    assert differing <= names < set(many.state_dict())
    assert not any(isinstance(layer, nn.Conv2d) for layer in models.classifier_of(many).modules()) or name == "timm"


def test_options_for_a_classifier_over_frozen_features_leave_the_features_as_they_are(name):
    over = models.register.facts(name).get("over_frozen")
    if over is None:
        pytest.skip("reads its features as they are")
    plain = build(name)
    other = models.create(Part(name, **over), CLASSES, 1, 28)
    features = {
        key: value.shape for key, value in plain.state_dict().items() if key not in models.classifier_names(plain)
    }
    assert features == {
        key: value.shape for key, value in other.state_dict().items() if key not in models.classifier_names(other)
    }


def test_a_model_that_names_no_classifier_is_told_so():
    with pytest.raises(HangtagError, match="does not name its `classifier`"):
        models.classifier_of(nn.Linear(2, 2))
