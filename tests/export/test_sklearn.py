import numpy as np
import onnx
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from hangtag.classical import features
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.export.sklearn import to_onnx
from hangtag.predict.onnx import OnnxPredictor

NAMES = ("a", "b", "c")


@pytest.fixture
def pictures():
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    images = generator.integers(0, 256, (90, 6, 6)).astype(np.uint8)
    images[np.arange(90), labels] = 250  # class k has a bright row k
    return images, labels


def test_graph_starts_at_pixels_and_ends_at_probabilities(pictures):
    images, labels = pictures
    model = onnx.load_from_string(to_onnx(LogisticRegression().fit(features(images), labels), 6, False, 3))
    onnx.checker.check_model(model, full_check=True)
    (given,), (answer,) = model.graph.input, model.graph.output
    assert (given.name, given.type.tensor_type.elem_type) == ("images", onnx.TensorProto.UINT8)
    assert (answer.name, answer.type.tensor_type.elem_type) == ("probabilities", onnx.TensorProto.FLOAT)
    assert [dim.dim_value for dim in given.type.tensor_type.shape.dim] == [0, 6, 6]
    assert [dim.dim_value for dim in answer.type.tensor_type.shape.dim] == [0, 3]


def test_forest_leaves_out_zeros_and_answers_the_same(pictures):
    images, labels = pictures
    forest = RandomForestClassifier(10, random_state=0).fit(features(images), labels)
    content = to_onnx(forest, 6, False, 3)
    (node,) = [node for node in onnx.load_from_string(content).graph.node if node.op_type == "TreeEnsembleRegressor"]
    lists = {attribute.name: attribute for attribute in node.attribute}
    weights = list(lists["target_weights"].floats)
    assert 0 not in weights
    assert len(weights) == len(lists["target_ids"].ints) == len(lists["target_nodeids"].ints)
    unseen = np.random.default_rng(1).integers(0, 256, (200, 6, 6)).astype(np.uint8)
    served = OnnxPredictor(content, Card(name="forest", class_names=NAMES, size=6, colour=False), threads=1)
    np.testing.assert_allclose(served.predict_proba(unseen), forest.predict_proba(features(unseen)), atol=1e-6)


def test_every_pixel_value_takes_the_same_branch_as_in_the_forest():
    images = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(256, 2, 2)
    labels = (np.arange(256) // 3) % 3
    forest = RandomForestClassifier(3, bootstrap=False, random_state=0).fit(features(images), labels)
    card = Card(name="forest", class_names=NAMES, size=2, colour=False)
    served = OnnxPredictor(to_onnx(forest, 2, False, 3), card, threads=1)
    np.testing.assert_allclose(served.predict_proba(images), forest.predict_proba(features(images)), atol=1e-6)


def test_a_step_without_onnx_form_is_refused_in_one_line(pictures):
    class Doubled(BaseEstimator):
        def fit(self, rows, labels=None):
            return self

        def transform(self, rows):
            return 2 * rows

    images, labels = pictures
    estimator = make_pipeline(Doubled(), LogisticRegression()).fit(features(images), labels)
    with pytest.raises(HangtagError, match="Doubled") as caught:
        to_onnx(estimator, 6, False, 3)
    assert caught.value.code == "bundle_export_failed"
    assert "\n" not in caught.value.message
