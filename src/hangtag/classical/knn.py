"""The nearest training pictures vote: no training at all, and the whole data set is the model.

Source: Cover and Hart 1967, "Nearest Neighbor Pattern Classification". Compared with every picture, by matrix
products: no tree helps in 784 dimensions. As ONNX it would hold every training pixel as a float (172 MB of
Fashion-MNIST), so it is for comparison only.
"""

from __future__ import annotations

from typing import Any, Literal

from hangtag.classical import register


@register("knn", onnx=False)
def knn(seed: int, *, n_neighbors: int = 5, weights: Literal["uniform", "distance"] = "distance") -> Any:
    """The `n_neighbors` nearest by Euclidean distance, nearer ones counting more. Nothing is random in it."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors, weights=weights, algorithm="brute", n_jobs=-1)
