"""A Gaussian support vector machine whose prediction is two matrix products and a tanh, so that ONNX can hold it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

CALIBRATION_PICTURES = 5000  # at most: one number is learnt from them
STEP = 500  # pictures at a time: 500 x 20,000 support vectors are 80 MB


class KernelSVM(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One machine for each pair of classes, as libsvm trains them, and a smooth vote among them.

    libsvm counts a pair's vote as 0 or 1, so that a margin of 1e-7 moves a whole vote, and another computer's rounding
    the answer. Here it counts tanh(2 margin); the accuracy is the same. Probabilities are the softmax of the votes over
    a temperature, found on pictures that a machine trained on a third of the data has not seen. Platt's way (1999),
    which libsvm takes, would train five more machines on almost all of them.

    Args:
        C: what a picture on the wrong side of the margin costs.
        gamma: width of the kernel, in units of one over the total variance.
        class_weight: "balanced", or None: how much more an image of a small class costs, as scikit-learn's SVC has it.
    """

    def __init__(self, C: float = 10.0, gamma: float = 2.0, class_weight: str | None = None) -> None:  # noqa: N803
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> KernelSVM:  # noqa: N803
        """X is (N, D), y is (N,) with K >= 2 classes."""
        self.classes_ = np.unique(y)
        self.temperature_ = self._temperature(X, y)
        self._fit_pairs(X, y)
        return self

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float64]:  # noqa: N803
        """(N, D) -> (N, K)."""
        return _softmax(self._votes(X) / self.temperature_)

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:  # noqa: N803
        """(N, D) -> (N,) labels."""
        labels: NDArray[Any] = self.classes_[self._votes(X).argmax(axis=1)]
        return labels

    def margins(self, X: NDArray[Any]) -> NDArray[np.float64]:  # noqa: N803
        """(N, D) -> (N, K(K-1)/2), above 0 where the first class of the pair wins; -1 and 1 are the margin's edges."""
        vectors, found = self.vectors_, []
        squares = (vectors**2).sum(axis=1)
        for start in range(0, len(X), STEP):
            rows = np.asarray(X[start : start + STEP], np.float64)
            distances = (rows**2).sum(axis=1)[:, None] - 2 * rows @ vectors.T + squares
            found.append(np.exp(-self.width_ * distances) @ self.weights_ + self.bias_)
        return np.concatenate(found) if found else np.zeros((0, len(self.bias_)))

    def _fit_pairs(self, X: NDArray[Any], y: NDArray[Any]) -> None:  # noqa: N803
        from sklearn.svm import SVC

        self.width_ = float(self.gamma / max(X.var(axis=0, dtype=np.float64).sum(), 1e-12))
        machine = SVC(C=self.C, gamma=self.width_, class_weight=self.class_weight, cache_size=500).fit(X, y)
        classes = len(self.classes_)
        first, second = np.triu_indices(classes, 1)
        owner = np.repeat(np.arange(classes), machine.n_support_)  # vectors come class by class
        weights = np.zeros((len(owner), len(first)))
        for pair, (i, j) in enumerate(zip(first, second, strict=True)):
            # Row r of dual_coef_ holds a vector's part in the r-th of the pairs its class takes part in.
            weights[owner == i, pair] = machine.dual_coef_[j - 1, owner == i]
            weights[owner == j, pair] = machine.dual_coef_[i, owner == j]
        sign = -1.0 if classes == 2 else 1.0  # scikit-learn turns two classes round, so that the second is positive
        self.vectors_ = _rounded(machine.support_vectors_)
        self.weights_, self.bias_ = _rounded(sign * weights), sign * machine.intercept_
        self.pairs_ = np.zeros((len(first), classes))  # which class gains and which loses by a pair's margin
        self.pairs_[np.arange(len(first)), first] = 1
        self.pairs_[np.arange(len(first)), second] = -1

    def _votes(self, X: NDArray[Any]) -> NDArray[np.float64]:  # noqa: N803
        votes: NDArray[np.float64] = np.tanh(2 * self.margins(X)) @ self.pairs_
        return votes

    def _temperature(self, X: NDArray[Any], y: NDArray[Any]) -> float:  # noqa: N803
        """What votes are divided by to give the likeliest probabilities; 1 where there are too few pictures to tell."""
        from scipy.optimize import minimize_scalar

        by_class = np.argsort(y, kind="stable")  # so that each third has its share of every class
        learnt, unseen = by_class[::3], by_class[1::3]
        if not np.array_equal(np.unique(y[learnt]), self.classes_) or not len(unseen):
            return 1.0
        self._fit_pairs(X[learnt], y[learnt])
        unseen = unseen[:: -(-len(unseen) // CALIBRATION_PICTURES)]
        votes, labels = self._votes(X[unseen]), np.searchsorted(self.classes_, y[unseen])

        def loss(logarithm: float) -> float:
            likelihood = _softmax(votes / np.exp(logarithm))[np.arange(len(labels)), labels]
            return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

        return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def _rounded(values: NDArray[Any]) -> NDArray[np.float64]:
    """To what a float32 holds, so that a file of half the size holds the same machine."""
    return values.astype(np.float32).astype(np.float64)


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
