"""Promises every registered optimiser keeps."""

import json

import pytest
import torch
from torch import nn

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training import optimisers
from hangtag.training.optimisers import muon
from hangtag.training.optimisers._undecorated import undecorated
from hangtag.training.optimisers.muon import orthogonal_moves, orthogonalised

IMAGES = torch.randn(32, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = (IMAGES.mean(dim=(1, 2, 3)) > 0).long()


def network(seed=0):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten()]
    model = nn.Sequential(*layers, nn.Linear(8 * 16, 16), nn.ReLU(), nn.Linear(16, 2))
    return model.to(memory_format=torch.channels_last)


def steps(model, optimiser, n):
    losses = []
    for _ in range(n):
        loss = nn.functional.cross_entropy(model(IMAGES), LABELS)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@pytest.fixture(params=optimisers.register.names())
def make(request):
    return optimisers.register.get(request.param)


def test_lowers_the_loss(make):
    model = network()
    losses = steps(model, make(model), 30)
    assert losses[-1] < 0.7 * losses[0]


def test_moves_every_parameter(make):
    model = network()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimiser = make(model)
    steps(model, optimiser, 2)
    assert sum(len(group["params"]) for group in optimiser.param_groups) == len(before)
    assert [name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])] == []


def test_goes_on_bit_for_bit_from_its_state(make):
    """State is written row by row, as files hold it, beside weights that are laid out channels last."""
    unbroken = network()
    optimiser = make(unbroken)
    steps(unbroken, optimiser, 6)

    first = network()
    half = make(first)
    steps(first, half, 3)
    saved = {
        index: {key: value.contiguous() if isinstance(value, torch.Tensor) else value for key, value in entry.items()}
        for index, entry in half.state_dict()["state"].items()
    }
    second = network(1)
    second.load_state_dict({name: value.contiguous() for name, value in first.state_dict().items()})
    again = make(second)
    again.load_state_dict({"state": saved, "param_groups": again.state_dict()["param_groups"]})
    steps(second, again, 3)
    for (name, wanted), got in zip(unbroken.named_parameters(), second.parameters(), strict=True):
        assert torch.equal(wanted, got), name


def test_state_is_tensors_and_plain_values(make):
    model = network()
    optimiser = make(model)
    steps(model, optimiser, 1)
    state = optimiser.state_dict()
    json.dumps(state["param_groups"])
    for entry in state["state"].values():
        json.dumps({key: value for key, value in entry.items() if not isinstance(value, torch.Tensor)})


def test_every_group_keeps_its_peak_rate(make):
    assert all(group["initial_lr"] == group["lr"] > 0 for group in make(network()).param_groups)


def test_a_rate_of_zero_moves_nothing(make):  # schedules set the rate; nothing may move beside it
    model = network()
    optimiser = make(model)
    steps(model, optimiser, 1)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    steps(model, optimiser, 1)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_decays_weights_but_not_biases_and_norms(make):
    model = network()
    for group in make(model, weight_decay=0.1).param_groups:
        assert all((parameter.ndim >= 2) == (group["weight_decay"] > 0) for parameter in group["params"])


@pytest.mark.parametrize("options", [{"lr": 0.0}, {"lr": -1.0}, {"weight_decay": -0.1}, {"lr": float("nan")}])
def test_refuses_rates_no_run_could_use(make, options):
    with pytest.raises(HangtagError, match=next(iter(options))) as caught:
        make(network(), **options)
    assert caught.value.code == "usage_value"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sgd", {"momentum": 1.0}),
        ("sgd", {"momentum": 0.0, "nesterov": True}),
        ("sgd", {"norm_bias_lr_scale": 0.0}),
        ("adam", {"beta1": 1.0}),
        ("adamw", {"beta2": -0.1}),
        ("rmsprop", {"smoothing": 1.0}),
        ("muon", {"momentum": 1.0}),
        ("muon", {"rest_lr": 0.0}),
    ],
)
def test_refuses_other_options_that_mean_nothing(name, options):
    with pytest.raises(HangtagError) as caught:
        Part(name, **options).call(optimisers.register.get(name), network())
    assert caught.value.code == "usage_value"


def test_sgd_moves_norm_biases_faster_when_asked():
    model = network()
    groups = optimisers.register.get("sgd")(model, lr=0.1, norm_bias_lr_scale=64.0).param_groups
    fast = [group for group in groups if group["lr"] == pytest.approx(6.4)]
    assert [[id(parameter) for parameter in group["params"]] for group in fast] == [[id(model[1].bias)]]


def test_muon_orthogonalises():
    for shape in ((8, 30), (30, 8), (16, 16)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        u, _, v = torch.linalg.svd(matrix, full_matrices=False)
        result = orthogonalised(matrix)
        values = torch.linalg.svdvals(result)
        assert 0.3 < values.min() <= values.max() < 1.3
        assert torch.trace(u.T @ result @ v.T) > 0.6 * min(shape)  # the singular vectors are kept


@pytest.mark.parametrize("shape", [(24, 216), (216, 24), (3, 24, 216)])
def test_muon_takes_its_steps_over_small_matrices_and_ends_where_long_ones_would(shape):
    generator = torch.Generator().manual_seed(0)
    faint = torch.logspace(0, -7, 24).diag()  # singular values down to what float32 can tell from nothing
    matrix = torch.randn(*shape[:-2], 24, 24, generator=generator) @ faint @ torch.randn(24, 216, generator=generator)
    matrix = matrix if shape[-1] == 216 else matrix.mT
    x = matrix.double() if shape[-1] == 216 else matrix.double().mT
    x = x / x.norm(dim=(-2, -1), keepdim=True)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
    expected = x if shape[-1] == 216 else x.mT
    assert (orthogonalised(matrix) - expected).norm() < 1e-3 * expected.norm()


def test_muon_in_bfloat16_is_within_two_percent_and_as_orthogonal():
    matrix = torch.randn(128, 600, generator=torch.Generator().manual_seed(0)) @ torch.logspace(0, -2, 600).diag()
    exact, quick = orthogonalised(matrix), orthogonalised(matrix, bf16=True)
    assert quick.dtype == torch.float32
    assert (quick - exact).norm() < 0.02 * exact.norm()
    values = torch.linalg.svdvals(quick)
    assert values.min() > 0.6
    assert values.max() < 1.2


def test_muon_moves_layers_of_one_shape_together_as_it_moves_them_alone():
    generator = torch.Generator().manual_seed(0)
    matrices = [torch.randn(shape, generator=generator) for shape in ((8, 30), (30, 8), (8, 30), (30, 8), (5, 5))]
    alone, together = (orthogonal_moves(matrices, together=choice) for choice in (False, True))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_muon_takes_bfloat16_for_large_matrices_where_the_hardware_has_it(monkeypatch):
    taken = []
    monkeypatch.setattr(muon, "fast_bf16", lambda device: True)
    monkeypatch.setattr(
        muon, "orthogonalised", lambda matrix, bf16: taken.append((matrix.numel(), bf16)) or matrix.clone()
    )
    model = nn.Sequential(nn.Linear(4, 256), nn.Linear(256, 256), nn.Linear(256, 16), nn.Linear(16, 4))
    optimiser = muon.muon(model)
    model(torch.randn(2, 4)).sum().backward()
    optimiser.step()
    assert taken == [(256 * 256, True), (256 * 16, False)]


def test_muon_moves_hidden_layers_only():
    model = network()
    hidden = [g for g in optimisers.register.get("muon")(model).param_groups if g["hidden"]]
    assert [[tuple(p.shape) for p in group["params"]] for group in hidden] == [[(8, 8, 3, 3), (16, 128)]]


def test_muon_says_which_models_it_is_not_for():
    with pytest.raises(HangtagError, match="use adamw"):
        optimisers.register.get("muon")(nn.Linear(4, 2))


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop])
def test_without_its_decorators_an_optimiser_computes_the_same(kind):
    decorated, bare = network(), network()
    steps(decorated, kind(decorated.parameters(), lr=0.01), 5)
    steps(bare, undecorated(kind)(bare.parameters(), lr=0.01), 5)
    for one, other in zip(decorated.parameters(), bare.parameters(), strict=True):
        assert torch.equal(one, other)


def test_without_its_decorators_an_optimiser_leaves_pytorchs_own_as_it_is():
    before = {name: vars(torch.optim.Optimizer)[name] for name in ("add_param_group", "zero_grad", "state_dict")}
    undecorated(torch.optim.Adam)(network().parameters())
    assert {name: vars(torch.optim.Optimizer)[name] for name in before} == before
