"""A support vector machine with a Gaussian kernel, on principal components.

Source: Cortes and Vapnik 1995, "Support-Vector Networks". Departures: it sees the principal components that hold most
of the variance (113 numbers in place of 784 pixels), which takes a seventh of the work; votes and probabilities are
smooth, see `_kernel_svm.py`.
"""

from __future__ import annotations

from typing import Any

from hangtag.classical import register


@register("svm", onnx=True)
def svm(seed: int, *, variance: float = 0.92, C: float = 10.0, gamma: float = 2.0) -> Any:  # noqa: N803
    """All training pictures take part. Nothing is random in it.

    Args:
        seed: not used.
        variance: share of the variance that the components hold.
        C: what a picture on the wrong side of the margin costs.
        gamma: of exp(-gamma * distance² / total variance); 1 is what scikit-learn calls "scale".
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    from hangtag.classical._kernel_svm import KernelSVM

    return make_pipeline(PCA(variance), KernelSVM(C, gamma))
