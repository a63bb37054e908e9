"""A network as a Predictor: pixels in, probabilities out, with normalisation and flip averaging inside.

`Deployed` is the one definition of what is served. Validation during training runs it, and export turns it into the
ONNX graph, so the two cannot drift apart.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from hangtag.core.errors import HangtagError
from hangtag.core.types import Pictures, Probabilities

if TYPE_CHECKING:
    from hangtag.core.card import Card

BATCH = 128  # maps of the first layers are large: 500 at once would be the peak of a run
LARGE_BATCH = 2048  # on an accelerator, which 128 pictures would leave idle between two launches


class Deployed(nn.Module):
    """uint8 pictures (N, H, W) or (N, H, W, 3) -> probabilities (N, K) float32.

    Args:
        model: normalised (N, C, H, W) floats -> (N, K) logits.
        mean, std: one number per channel, of pixels in [0, 1].
        flip_average: judge each picture and its mirror image and answer with the mean of the two.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, mean: list[float], std: list[float], flip_average: bool) -> None:
        super().__init__()
        self.model = model
        self.flip_average = flip_average
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(N, H, W) or (N, H, W, 3) uint8 -> (N, K) float32."""
        if images.ndim == 3:
            inputs = images.unsqueeze(1)  # (N, H, W) -> (N, 1, H, W)
        else:
            inputs = images.permute(0, 3, 1, 2)  # (N, H, W, 3) -> (N, 3, H, W)
        inputs = normalise(inputs.to(torch.float32), self.mean, self.std)
        probabilities: Tensor = self.model(inputs).float().softmax(1)
        if self.flip_average:
            mirrored = self.model(inputs.flip(3)).float().softmax(1)
            probabilities = (probabilities + mirrored) / 2
        return probabilities


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(N, C, H, W) floats in 0..255 -> zero mean, unit spread; mean and std are (1, C, 1, 1), of pixels in [0, 1]."""
    return (images - mean * 255) / (std * 255)


class TorchPredictor:
    """Predictor over a `Deployed` network.

    Args:
        deployed: the network, on its device.
        class_names: K names.
        bf16: run convolutions and matrix products in bfloat16.
    """

    def __init__(self, deployed: Deployed, class_names: tuple[str, ...], *, bf16: bool = False) -> None:
        self.deployed = deployed
        self._class_names = class_names
        self._bf16 = bf16

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        return self._class_names

    @torch.inference_mode()
    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) or (N, H, W, 3) uint8 -> (N, K) float32."""
        device = self.deployed.mean.device
        was_training = self.deployed.training
        self.deployed.eval()
        context = torch.autocast(device.type, torch.bfloat16) if self._bf16 else contextlib.nullcontext()
        size = BATCH if device.type == "cpu" else LARGE_BATCH
        parts = [np.zeros((0, len(self.class_names)), np.float32)]
        with context:
            for start in range(0, len(images), size):
                batch = torch.from_numpy(np.ascontiguousarray(images[start : start + size])).to(device)
                parts.append(self.deployed(batch).cpu().numpy())
        self.deployed.train(was_training)
        return np.concatenate(parts)


def from_weights(content: bytes, card: Card) -> TorchPredictor:
    """The Predictor of a bundle that holds `weights.safetensors` and no ONNX.

    Raises:
        HangtagError: `bundle_incompatible` if the weights do not fit the card's recipe; `extra_missing` without torch.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from hangtag import models
    from hangtag.core import recipe as recipes
    from hangtag.core.typed import coerce

    channels = 3 if card.colour else 1
    try:
        recipe = recipes.from_dict(card.recipe)
        if not isinstance(recipe, recipes.NetworkRecipe):
            raise HangtagError("usage_value", f"it is {recipe.kind} and has no weights to load")
        mean, std = (coerce(card.normalise.get(key), tuple[float, ...], f"normalise.{key}") for key in ("mean", "std"))
        if not len(mean) == len(std) == channels:
            raise HangtagError("usage_value", f"normalise should hold {channels} numbers each")
        model = models.create(recipe.model, len(card.class_names), channels, card.size)
    except HangtagError as error:
        if not error.code.startswith("usage"):  # an extra that is missing has a cure of its own
            raise
        raise HangtagError("bundle_incompatible", f"the card of {card.name!r} does not fit: {error.message}") from error
    try:
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise HangtagError(
            "bundle_incompatible", f"the weights of {card.name!r} do not fit its recipe: {reason}"
        ) from error
    deployed = Deployed(model, list(mean), list(std), recipe.flip_average)
    return TorchPredictor(deployed.eval(), card.class_names)
