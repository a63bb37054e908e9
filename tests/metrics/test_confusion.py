import numpy as np
from sklearn import metrics as sklearn_metrics

from hangtag.metrics import _confusion


def drawn():
    generator = np.random.default_rng(3)
    return generator.dirichlet(np.ones(6), 300).astype(np.float32), generator.integers(0, 5, 300)


def test_rows_are_true_and_columns_predicted():
    probabilities = np.eye(3, dtype=np.float32)[[1, 1, 2]]
    assert _confusion.confusion_matrix(probabilities, np.array([0, 0, 2])).tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_agrees_with_scikit_learn():
    probabilities, labels = drawn()
    predicted = probabilities.argmax(axis=1)
    ours = _confusion.confusion_matrix(probabilities, labels)
    np.testing.assert_array_equal(ours, sklearn_metrics.confusion_matrix(labels, predicted, labels=range(6)))
    theirs = sklearn_metrics.precision_recall_fscore_support(labels, predicted, labels=range(6), zero_division=0)
    np.testing.assert_allclose(_confusion.precision_of(ours), theirs[0])
    np.testing.assert_allclose(_confusion.recall_of(ours), theirs[1])
    np.testing.assert_allclose(_confusion.f1_of(ours), theirs[2])


def test_a_tie_goes_to_the_first_class():
    assert _confusion.confusion_matrix(np.full((1, 3), 1 / 3, np.float32), np.array([2]))[2].tolist() == [1, 0, 0]
