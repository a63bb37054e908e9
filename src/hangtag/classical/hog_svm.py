"""A support vector machine that sees edges: histograms of oriented gradients, then a Gaussian kernel.

Source: Dalal and Triggs 2005, "Histograms of Oriented Gradients for Human Detection", who used a linear machine. The
departures are told in `_hog.py` and `_kernel_svm.py`; as in `svm`, the machine sees principal components.
"""

from __future__ import annotations

from typing import Any

from hangtag.classical import register


@register("hog_svm", onnx=True)
def hog_svm(
    seed: int,
    *,
    directions: int = 8,
    cell: int = 4,
    variance: float = 0.9,
    C: float = 5.0,  # noqa: N803
    gamma: float = 1.5,
) -> Any:
    """All training pictures take part. Nothing is random in it.

    Args:
        seed: not used.
        directions: of gradients, over half a turn.
        cell: pixels along a side of a cell.
        variance: share of the features' variance that the components hold.
        C: what a picture on the wrong side of the margin costs.
        gamma: of exp(-gamma * distance² / total variance).
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    from hangtag.classical._hog import HOG
    from hangtag.classical._kernel_svm import KernelSVM

    return make_pipeline(HOG(directions, cell), PCA(variance), KernelSVM(C, gamma))
