"""Uneven classes counted alike: `class_weights=balanced` weighs an image of class c with n / (K * n_c).

Source: King and Zeng 2001, "Logistic Regression in Rare Events Data"; scikit-learn's `class_weight="balanced"` has the
same numbers. The mean weight over the training images is 1, so the learning rate keeps its meaning.

The loss of a batch is the mean over its images of weight times loss, as `torch.nn.CrossEntropyLoss(weight=...)` has
it for targets that are probabilities: the sum is divided by the number of images. (For targets that are class numbers
torch divides by the sum of the batch's weights, so that what an image counts depends on its neighbours.) Departure:
torch weighs each term of a smoothed or mixed target by its own class, so that a tenth of smoothing lets a rare class
win every image; here an image's whole loss is weighed by the mean weight of its labels, smoothing taken out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hangtag.core.types import Split


def class_weights(split: Split) -> Tensor:
    """(K,) float32, n / (K * n_c); 0 for a class without an image, of which none is ever seen."""
    counts = np.bincount(split.labels, minlength=len(split.class_names))
    there = counts > 0
    weights = np.zeros(len(counts))
    weights[there] = len(split) / (there.sum() * counts[there])
    return torch.from_numpy(weights.astype(np.float32))


def expected_weights(targets: Tensor, weights: Tensor, smoothing: float = 0.0) -> Tensor:
    """(N,) the mean class weight of each image's labels: of a mixed image, of both by their shares.

    Args:
        targets: (N, K) probabilities.
        weights: (K,).
        smoothing: how much of the targets is spread evenly over the classes; it is taken out again.
    """
    return (targets @ weights - smoothing * weights.mean()) / (1 - smoothing)
