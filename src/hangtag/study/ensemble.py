"""An ensemble: several trained models as one bundle, whose answer is theirs together.

Three ways: the mean of their probabilities; a mean whose weights are fitted on validation pictures; or a soup, one
network whose weights are the mean of theirs.

Temperatures that a report put into the members' cards are not applied: a bundle answers without its own, so what is
averaged is what each member serves. `hangtag report` fits one for the ensemble.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hangtag import experiment
from hangtag.core.card import ONNX, WEIGHTS, Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, sweep, write_file
from hangtag.core.optional import require
from hangtag.core.recipe import NetworkRecipe, fingerprint, from_dict
from hangtag.core.types import Dataset, Labels, Pictures, Predictor, Probabilities, Split
from hangtag.data.split import data_record, training_and_validation
from hangtag.evaluation.bundle import dataset_of, known_to, may_know_validation
from hangtag.evaluation.evaluation import Evaluation, answers, score
from hangtag.export import bundle as bundles
from hangtag.export.parity import Parity, compare
from hangtag.predict.bundle import Bundle, open_bundle
from hangtag.predict.onnx import OnnxPredictor
from hangtag.watch import Watch, lines

if TYPE_CHECKING:
    from torch import Tensor

How: TypeAlias = Literal["average", "weighted", "soup"]
_STEPS = 500  # of the weights' fit: by then they move in the fifth figure


@dataclass(frozen=True, kw_only=True)
class Member:
    """One of the models that were put together; what is None could not be judged fairly."""

    bundle: str
    name: str
    sha256: str
    weight: float
    val_accuracy: float | None
    val_loss: float | None


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """What came out, beside its members."""

    bundle: str
    how: How
    members: tuple[Member, ...]
    val_accuracy: float | None
    val_loss: float | None
    params: int
    parity: dict[str, Any]


class _Mean:
    """The mean the merged graph is held against, computed from the members one by one."""

    def __init__(self, members: Sequence[Predictor], weights: Sequence[float]) -> None:
        self._members, self._weights = members, weights

    @property
    def class_names(self) -> tuple[str, ...]:
        return self._members[0].class_names

    def predict_proba(self, images: Pictures) -> Probabilities:
        parts = [
            weight * member.predict_proba(images) for weight, member in zip(self._weights, self._members, strict=True)
        ]
        mean: Probabilities = np.sum(parts, axis=0, dtype=np.float32)
        return mean


def ensemble(
    names: Sequence[str],
    *,
    how: How = "average",
    half: bool = False,
    data: str | None = None,
    out: Path | None = None,
    watch: Watch | None = None,
) -> Ensemble:
    """Put bundles together.

    Args:
        names: two or more bundles of the same classes and kind of picture.
        how: "average", "weighted" or "soup".
        half: keep the weights of `model.onnx` in sixteen bits, which halves the file.
        data: what `data.find` takes; by default the data the first member was trained on.
        out: folder of the result; by default one under `runs/`.
        watch: who is told.

    Raises:
        HangtagError: `bundle_incompatible` where members do not agree; `usage_value` for weights when a member has
            learnt from the validation pictures; what opening bundles and data raises.
    """
    require("onnx", extra="train")
    watch = watch or lines()
    if len(names) < 2:
        raise HangtagError("usage_value", "an ensemble is of two bundles or more")
    opened = [open_bundle(name) for name in names]
    _check_alike(names, opened)
    dataset = dataset_of(opened[0].card, data, watch.reading)
    everything = dataset.training()
    settings = {
        "study": "ensemble",
        "how": how,
        "members": [one.card.files[ONNX]["sha256"] for one in opened],
        "data": data_record(dataset, everything, None),
        **({"half": True} if half else {}),
    }
    folder = out or Path("runs") / f"ensemble-{fingerprint(settings)}"
    with owning(folder, "run_busy", f"another process is at work in {folder}: wait for it, or choose another --out"):
        experiment.claim(folder, "run.json", settings, made=("result.json", "bundle", "checkpoints", "study.json"))
        sweep(folder, owned=True)
        if (known := _finished(folder)) is not None:
            watch.message(f"finished already: {folder}")
            return known
        found = _made(names, opened, how, half, dataset, everything, folder, watch)
        write_file(folder / "result.json", json.dumps(dataclasses.asdict(found), indent=1).encode())
    return found


def _made(
    names: Sequence[str],
    opened: list[Bundle],
    how: How,
    half: bool,
    dataset: Dataset,
    everything: Split,
    folder: Path,
    watch: Watch,
) -> Ensemble:
    first = opened[0].card
    training, validation = (known_to(first, part) for part in training_and_validation(dataset, everything))
    doubts = (may_know_validation(one.card, dataset, everything) for one in opened)
    reasons = list(zip(names, doubts, strict=True))
    unfair = next((f"{name} {reason}" for name, reason in reasons if reason), "")
    if unfair and how == "weighted":
        raise HangtagError("usage_value", f"weights are fitted on validation pictures, and {unfair}: use --how average")
    if unfair:
        watch.message(f"{unfair}: nothing is left to judge on")
    fair = not unfair
    members: list[Predictor] = [OnnxPredictor(one.files[ONNX], one.card) for one in opened]
    said = [
        answers(member, validation, watch.reading, name=one.card.name, what=f"judging {one.card.name}")
        for member, one in (zip(members, opened, strict=True) if fair else ())
    ]
    weights = [1 / len(names)] * len(names)
    if how == "weighted":
        weights = fit_weights(said, validation.labels).tolist()
    card = _card(how, names, opened, weights, dataset.name, everything.digest())
    proof = validation.images[: experiment.PARITY_PICTURES]
    if how == "soup":
        content, stirred, parity, card = _soup(names, opened, training, proof, card, watch)
    else:
        from hangtag.export.merged import merged

        watch.message("putting the graphs together, and proving on real pictures that they answer with the mean")
        shape = (first.size, first.size, 3) if first.colour else (first.size, first.size)
        content = merged([one.files[ONNX] for one in opened], weights, shape, len(first.class_names))
        stirred = None
        parity = compare(OnnxPredictor(content, card), _Mean(members, weights), proof)
    if half:
        from hangtag.export import half as halves

        whole, content = OnnxPredictor(content, card), halves.halved(content)
        parity = compare(OnnxPredictor(content, card), whole, proof, halves.TOLERANCE)
    served = OnnxPredictor(content, card)
    judged = _judged(served, validation, watch) if fair else None
    card = dataclasses.replace(
        card,
        parity=parity.to_dict(),
        metrics={"validation": {"n": judged.n, "accuracy": judged.accuracy, "loss": judged.loss}} if judged else {},
    )
    bundles.write(card, folder / "bundle", onnx=content, weights=stirred)
    alone: list[Evaluation | None] = [score(each, validation) for each in said] or [None] * len(names)
    return Ensemble(
        bundle=str(folder / "bundle"),
        how=how,
        members=tuple(
            Member(
                bundle=name,
                name=one.card.name,
                sha256=one.card.files[ONNX]["sha256"],
                weight=weight,
                val_accuracy=own.accuracy if own else None,
                val_loss=own.loss if own else None,
            )
            for name, one, weight, own in zip(names, opened, weights, alone, strict=True)
        ),
        val_accuracy=judged.accuracy if judged else None,
        val_loss=judged.loss if judged else None,
        params=card.params,
        parity=parity.to_dict(),
    )


def fit_weights(probabilities: Sequence[Probabilities], labels: Labels) -> NDArray[np.float64]:
    """Weights, (M,), 0 or more and 1 in all, under which the mean is likeliest to have given the labels.

    Args:
        probabilities: (N, K) of each of M models for the same pictures, which none of them has learnt from.
        labels: (N,).

    Source: Smyth & Wolpert 1999, "Linearly Combining Density Estimators via Stacking"; by expectation-maximisation
    (Dempster et al. 1977), which never leaves the simplex and whose likelihood, concave here, only rises.
    """
    chosen = np.stack([each[np.arange(len(labels)), labels] for each in probabilities]).astype(np.float64)  # (M, N)
    chosen = np.maximum(chosen, 1e-12)
    weights = np.full(len(chosen), 1 / len(chosen))
    for _ in range(_STEPS):
        shares = weights[:, None] * chosen
        weights = (shares / shares.sum(axis=0)).mean(axis=1)
    return weights


def _check_alike(names: Sequence[str], opened: list[Bundle]) -> None:
    first = opened[0].card
    for name, one in zip(names, opened, strict=True):
        card = one.card
        if ONNX not in one.files:
            cure = ": let it train to its end" if card.unfinished else ""
            cure = f": name one of its members, {' or '.join(card.members)}" if card.members else cure
            raise HangtagError("bundle_incompatible", f"{name} holds no model.onnx to put together with others{cure}")
        if card.class_names != first.class_names:
            other = next(
                (
                    n
                    for n in (*card.class_names, *first.class_names)
                    if (n in card.class_names) != (n in first.class_names)
                ),
                None,
            )
            what = f"{other!r} is known to one of them only" if other else "they stand in another order"
            raise HangtagError(
                "bundle_incompatible", f"{name} and {names[0]} do not tell apart the same classes: {what}"
            )
        if (card.size, card.colour) != (first.size, first.colour):
            ours, theirs = (f"{'colour' if c.colour else 'grey'} of {c.size} pixels" for c in (first, card))
            raise HangtagError(
                "bundle_incompatible", f"{name} takes pictures in {theirs}, {names[0]} in {ours}: they need the same"
            )


def _card(how: How, names: Sequence[str], opened: list[Bundle], weights: list[float], data: str, digest: str) -> Card:
    first = opened[0].card
    alike = all(one.card.data.get("digest") == digest for one in opened)
    return Card(
        name=f"{how}-of-{len(opened)}",
        class_names=first.class_names,
        size=first.size,
        colour=first.colour,
        params=sum(one.card.params for one in opened),
        full=any(one.card.full for one in opened),
        data=first.data if alike else {**first.data, "name": data, "digest": ""},
        training={
            "ensemble": how,
            "members": [
                {"bundle": name, "name": one.card.name, "sha256": one.card.files[ONNX]["sha256"], "weight": weight}
                for name, one, weight in zip(names, opened, weights, strict=True)
            ],
        },
        versions=bundles.versions(),
        commit=bundles.commit(),
        created=bundles.now(),
        notes="Temperatures of the members are not applied.",
    )


def _judged(served: Predictor, validation: Split, watch: Watch) -> Evaluation:
    return score(answers(served, validation, watch.reading, what="judging them together"), validation)


def _finished(folder: Path) -> Ensemble | None:
    try:
        record = json.loads(read_regular(folder / "result.json"))
        members = tuple(Member(**member) for member in record.pop("members"))
        found = Ensemble(**record, members=members)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise HangtagError("run_damaged", f"{folder / 'result.json'} cannot be read ({error}): delete it") from error
    return dataclasses.replace(found, bundle=str(folder / "bundle")) if (folder / "bundle/card.json").exists() else None


def _soup(
    names: Sequence[str], opened: list[Bundle], training: Split, proof: Pictures, card: Card, watch: Watch
) -> tuple[bytes, bytes, Parity, Card]:
    """One network with the mean of the members' weights, its batch norms counted anew.

    Sources: Wortsman et al. 2022, "Model soups", arXiv 2203.05482; Izmailov et al. 2018, arXiv 1803.05407, section 3.2:
    statistics of batch norms belong to the weights they were counted with, and are no mean of others'.
    """
    for package in ("torch", "safetensors"):
        require(package, extra="train")
    from safetensors.torch import load, save

    from hangtag.export.onnx import to_onnx
    from hangtag.predict.torch import TorchPredictor, from_weights

    first = opened[0].card
    recipe = from_dict(first.recipe) if first.recipe else None
    states = [load(one.files[WEIGHTS]) if WEIGHTS in one.files else {} for one in opened]
    for name, one, state in zip(names, opened, states, strict=True):
        _check_stirs(name, names[0], one.card, first, state, states[0], recipe)
    mean = {key: _mean([state[key] for state in states]) for key in states[0]}
    watch.message("counting what batch norms need on the training pictures")
    trained = from_weights(save(mean), first)
    _count_again(trained, training, watch)
    assert isinstance(recipe, NetworkRecipe)
    watch.message("exporting to ONNX, and proving on real pictures that it answers the same")
    content = to_onnx(trained.deployed, first.size, first.colour)
    params = sum(parameter.numel() for parameter in trained.deployed.model.parameters())
    card = dataclasses.replace(card, recipe=first.recipe, normalise=first.normalise, params=params)
    parity = compare(OnnxPredictor(content, card), TorchPredictor(trained.deployed, first.class_names), proof)
    return content, save(trained.deployed.model.state_dict()), parity, card


def _mean(tensors: list[Tensor]) -> Tensor:
    """The mean; of whole numbers, which only count batches, the first."""
    import torch

    return torch.stack(tensors).mean(0) if tensors[0].is_floating_point() else tensors[0]


def _check_stirs(name: str, first_name: str, card: Card, first: Card, state: Any, wanted: Any, recipe: object) -> None:
    if not state:
        raise HangtagError("bundle_incompatible", f"{name} holds no weights to average, only a finished graph")
    shapes, others = ({key: value.shape for key, value in each.items()} for each in (state, wanted))
    if shapes != others or not isinstance(recipe, NetworkRecipe):
        key = next((key for key in (*shapes, *others) if shapes.get(key) != others.get(key)), "its recipe")
        raise HangtagError(
            "bundle_incompatible",
            f"{name} and {first_name} are not the same network ({key} differs): a soup is of one, trained again",
        )
    if card.normalise != first.normalise or card.recipe.get("flip_average") != first.recipe.get("flip_average"):
        raise HangtagError(
            "bundle_incompatible",
            f"{name} and {first_name} scale pixels or mirror pictures differently: a soup is of one recipe",
        )


def _count_again(trained: Any, training: Split, watch: Watch) -> None:
    """Mean and spread of every batch norm over the training pictures as they are."""
    import torch
    from torch import nn

    norms = [m for m in trained.deployed.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    trained.deployed.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    order = np.random.Philox(key=[0, 0]).random_raw(len(training)).argsort()  # a batch of one class has another mean
    step = 512
    with torch.inference_mode():
        for start in range(0, max(1, len(order) - len(order) % step), step):
            trained.deployed(torch.from_numpy(training.images[order[start : start + step]]))
            watch.reading("counting batch norms", min(start + step, len(order)), len(order))
    watch.reading("counting batch norms", len(order), len(order))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    trained.deployed.eval()
