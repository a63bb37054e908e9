"""A fitted scikit-learn estimator as one ONNX graph that starts at pixels.

What stands before a classifier, our own classifiers and ensembles of trees are written here, node by node; skl2onnx
translates every other classifier of scikit-learn.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require
from hangtag.predict.onnx import INPUT, OUTPUT

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 10


def to_onnx(estimator: Any, size: int, colour: bool, num_classes: int) -> bytes:
    """The ONNX file: `images` uint8 (N, size, size) or (N, size, size, 3) -> `probabilities` float32 (N, num_classes).

    Raises:
        HangtagError: `extra_missing`; `bundle_export_failed` if a part of the estimator has no ONNX form.
    """
    require("skl2onnx", extra="classical")
    shape = [size, size, 3] if colour else [size, size]
    graph = _Graph()
    floats = graph.node("Cast", INPUT, to=TensorProto.FLOAT)
    flat = graph.node("Reshape", graph.node("Div", floats, _float(255)), np.array([-1, np.prod(shape)], np.int64))
    *transformers, classifier = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    try:
        for transformer in transformers:
            flat = _TRANSFORMERS[type(transformer).__name__](graph, transformer, flat)
        probabilities = _CLASSIFIERS.get(type(classifier).__name__, _translated)(graph, classifier, flat)
        graph.nodes.append(helper.make_node("Identity", [probabilities], [OUTPUT]))
        content: bytes = graph.model(shape, num_classes).SerializeToString()
    except Exception as error:  # skl2onnx raises whatever its converters raise
        reason = " ".join(str(error).split())[:300]
        raise HangtagError("bundle_export_failed", f"the model could not be written as ONNX: {reason}") from error
    return content


class _Graph:
    """Nodes in order, each with one output named after its place."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str | NDArray[Any], **attributes: Any) -> str:
        """Add a node; arrays among its inputs become constants. Returns its output's name."""
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def model(self, shape: list[int], num_classes: int) -> onnx.ModelProto:
        pixels = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", *shape])
        answer = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", num_classes])
        graph = helper.make_graph(self.nodes, "hangtag", [pixels], [answer], self.constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def _constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name


def _float(value: Any) -> NDArray[np.float32]:
    return np.asarray(value, np.float32)


def _translated(graph: _Graph, classifier: Any, flat: str) -> str:
    """skl2onnx's graph, spliced in."""
    from skl2onnx import to_onnx as translate
    from skl2onnx.common.data_types import FloatTensorType

    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = translate(
            classifier,
            initial_types=[("features", FloatTensorType([None, classifier.n_features_in_]))],
            options={id(classifier): {"zipmap": False}},
            target_opset=OPSETS,
        )
    model = onnx.compose.add_prefix(model, "classifier_")
    for node in model.graph.node:
        node.input[:] = [flat if name == "classifier_features" else name for name in node.input]
    graph.nodes += model.graph.node
    graph.constants += model.graph.initializer
    return "classifier_probabilities"


@dataclass(frozen=True)
class _Tree:
    """One tree of n nodes; `weights` (n, targets) is what a leaf adds to each target."""

    leaf: NDArray[np.bool_]
    left: NDArray[Any]
    right: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[np.float64]  # left if the feature is at most this
    weights: NDArray[np.float64]


def _forest(graph: _Graph, forest: Any, flat: str) -> str:
    """The mean of the trees' probabilities."""
    trees = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf, shares = tree.children_left < 0, tree.value[:, 0] / len(forest.estimators_)
        trees.append(_Tree(leaf, tree.children_left, tree.children_right, tree.feature, tree.threshold, shares))
    return _trees(graph, trees, flat)


def _boosting(graph: _Graph, boosting: Any, flat: str) -> str:
    """The softmax of the trees' sums; between two classes there is but one sum, for the second."""
    base = boosting._baseline_prediction.ravel()
    trees = []
    for iteration in boosting._predictors:
        for target, predictor in enumerate(iteration):
            nodes = predictor.nodes
            weights = nodes["value"][:, None] * (np.arange(len(base)) == target)
            leaf = nodes["is_leaf"].astype(bool)
            trees.append(
                _Tree(leaf, nodes["left"], nodes["right"], nodes["feature_idx"], nodes["num_threshold"], weights)
            )
    scores = graph.node("Add", _trees(graph, trees, flat), _float(base))
    if len(base) == 1:
        scores = graph.node("Concat", graph.node("Mul", scores, _float(0)), scores, axis=1)
    return graph.node("Softmax", scores, axis=1)


def _trees(graph: _Graph, trees: list[_Tree], flat: str) -> str:
    """(N, targets): what the leaves that a picture falls into add up to.

    Not left to skl2onnx, which writes a leaf of a forest for every class, seen there or not, with several times the
    memory, and whose version 1.20 fails on histogram-based boosting with onnx 1.23.
    """

    def joined(parts: Iterable[Any]) -> list[Any]:
        values: list[Any] = np.concatenate(list(parts)).tolist()
        return values

    added = [_written(tree) for tree in trees]
    return graph.node(
        "TreeEnsembleRegressor",
        flat,
        domain="ai.onnx.ml",
        n_targets=trees[0].weights.shape[1],
        aggregate_function="SUM",
        nodes_treeids=joined(np.full(len(tree.leaf), i) for i, tree in enumerate(trees)),
        nodes_nodeids=joined(np.arange(len(tree.leaf)) for tree in trees),
        nodes_modes=joined(np.where(tree.leaf, "LEAF", "BRANCH_LEQ") for tree in trees),
        nodes_featureids=joined(np.where(tree.leaf, 0, tree.feature) for tree in trees),
        nodes_values=joined(np.where(tree.leaf, 0, _rounded_down(tree.threshold)) for tree in trees),
        nodes_truenodeids=joined(np.where(tree.leaf, 0, tree.left) for tree in trees),
        nodes_falsenodeids=joined(np.where(tree.leaf, 0, tree.right) for tree in trees),
        target_treeids=joined(np.full(len(rows), i) for i, (rows, _) in enumerate(added)),
        target_nodeids=joined(rows for rows, _ in added),
        target_ids=joined(columns for _, columns in added),
        target_weights=joined(tree.weights[where] for tree, where in zip(trees, added, strict=True)),
    )


def _written(tree: _Tree) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows and columns of the weights to write: those other than 0, and one for a leaf that has no other."""
    kept = (tree.weights != 0) & tree.leaf[:, None]
    kept[tree.leaf & ~kept.any(axis=1), 0] = True
    rows, columns = np.nonzero(kept)
    return rows, columns


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above: a float32 is at most a float64 threshold just when it is at most that."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _pca(graph: _Graph, pca: Any, flat: str) -> str:
    centred = graph.node("Sub", flat, _float(pca.mean_))
    return graph.node("MatMul", centred, _float(pca.components_.T))


def _kernel_svm(graph: _Graph, machine: Any, flat: str) -> str:
    """`KernelSVM.predict_proba`, in float64: thousands of weights up to C would make 1e-7 of each kernel value 1e-3."""

    def double(values: str | NDArray[Any]) -> str:
        return graph.node("Cast", values, to=TensorProto.DOUBLE)

    rows, vectors = double(flat), machine.vectors_
    squares = graph.node("ReduceSumSquare", rows, np.array([1], np.int64), keepdims=1)
    products = graph.node("MatMul", rows, double(_float(vectors.T)))
    distances = graph.node(
        "Sub", graph.node("Add", squares, (vectors**2).sum(axis=1)), graph.node("Add", products, products)
    )
    kernel = graph.node("Exp", graph.node("Mul", distances, np.array(-machine.width_)))
    margins = graph.node("Add", graph.node("MatMul", kernel, double(_float(machine.weights_))), machine.bias_)
    votes = graph.node("MatMul", graph.node("Tanh", graph.node("Add", margins, margins)), machine.pairs_)
    probabilities = graph.node("Softmax", graph.node("Div", votes, np.array(machine.temperature_)), axis=1)
    return graph.node("Cast", probabilities, to=TensorProto.FLOAT)


def _hog(graph: _Graph, hog: Any, flat: str) -> str:
    """`HOG.transform`, node for line."""
    from hangtag.classical._hog import CLIP, EPSILON

    height, width = hog.shape_[:2]
    images = graph.node("Reshape", flat, np.array([-1, 1, *hog.shape_], np.int64))  # (N, 1, H, W) or (N, 1, H, W, 3)
    if len(hog.shape_) == 3:
        images = graph.node("ReduceMean", images, np.array([4], np.int64), keepdims=0)
    edged = graph.node("Pad", images, np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), mode="edge")
    differences = np.zeros((2, 1, 3, 3), np.float32)
    differences[0, 0, 1] = differences[1, 0, :, 1] = (-1, 0, 1)  # across, down
    gradients = graph.node("Conv", edged, differences)  # (N, 2, H, W)
    along = graph.node("Abs", graph.node("Conv", gradients, hog.direction_vectors()[:, :, None, None]))
    length = graph.node("ReduceL2", gradients, np.array([1], np.int64), keepdims=1)
    votes = graph.node("Relu", graph.node("Sub", along, graph.node("Mul", length, _float(hog.threshold()))))
    pooling = np.repeat(hog.pooling()[None, None], hog.directions, axis=0)
    cells = graph.node("Conv", votes, pooling, group=hog.directions, strides=[hog.cell] * 2, pads=[hog.cell // 2] * 4)
    corners = [_corner(graph, cells, top, left) for top in (0, 1) for left in (0, 1)]
    blocks = graph.node("Concat", *corners, axis=1)
    blocks = graph.node("Min", _unit(graph, blocks, EPSILON), _float(CLIP))
    rows, columns = ((side + 2 * (hog.cell // 2) - 2 * hog.cell) // hog.cell for side in (height, width))
    values = 4 * hog.directions * rows * columns
    return graph.node("Reshape", _unit(graph, blocks, EPSILON), np.array([-1, values], np.int64))


def _corner(graph: _Graph, cells: str, top: int, left: int) -> str:
    starts, ends = np.array([top, left], np.int64), np.array([top - 1 or 2**31, left - 1 or 2**31], np.int64)
    return graph.node("Slice", cells, starts, ends, np.array([2, 3], np.int64))


def _unit(graph: _Graph, blocks: str, epsilon: float) -> str:
    squares = graph.node("ReduceSumSquare", blocks, np.array([1], np.int64), keepdims=1)
    return graph.node("Div", blocks, graph.node("Sqrt", graph.node("Add", squares, _float(epsilon**2))))


_TRANSFORMERS = {"PCA": _pca, "HOG": _hog}
_CLASSIFIERS = {
    "KernelSVM": _kernel_svm,
    "RandomForestClassifier": _forest,
    "HistGradientBoostingClassifier": _boosting,
}
