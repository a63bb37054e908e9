"""Promises every registered metric keeps. A new metric is covered the moment it is registered."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from hangtag import metrics


@pytest.fixture(params=metrics.register.names())
def metric(request):
    return metrics.register.get(request.param)


def drawn(n=500, k=7, seed=0):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(k), n).astype(np.float32)
    return probabilities, generator.integers(0, k - 1, n)  # the last class has no picture, but is predicted


def macro(which):
    def score(probabilities, labels):
        return which(
            labels,
            probabilities.argmax(axis=1),
            labels=range(probabilities.shape[1]),
            average="macro",
            zero_division=0,
        )

    return score


REFERENCE = {
    "accuracy": lambda p, y: sklearn_metrics.accuracy_score(y, p.argmax(axis=1)),
    "loss": lambda p, y: sklearn_metrics.log_loss(y, p, labels=range(p.shape[1])),
    "precision": macro(sklearn_metrics.precision_score),
    "recall": macro(sklearn_metrics.recall_score),
    "f1": macro(sklearn_metrics.f1_score),
}


def test_says_which_way_is_better():
    for name in metrics.register.names():
        assert isinstance(metrics.register.facts(name)["higher_is_better"], bool), name


def test_perfect_predictions_get_the_best_score(metric, request):
    labels = np.arange(30) % 5
    name = request.node.callspec.params["metric"]
    best = 1.0 if metrics.register.facts(name)["higher_is_better"] else 0.0
    assert metric(np.eye(5, dtype=np.float32)[labels], labels) == pytest.approx(best, abs=1e-6)


def test_a_worse_answer_scores_worse(metric, request):
    labels = np.arange(100) % 5
    sure = np.full((100, 5), 0.05, np.float32)
    sure[np.arange(100), labels] = 0.8
    wrong = np.roll(sure, 1, axis=1)
    name = request.node.callspec.params["metric"]
    better = metric(sure, labels) - metric(wrong, labels)
    assert better > 0 if metrics.register.facts(name)["higher_is_better"] else better < 0


def test_is_a_finite_plain_number(metric):
    labels = np.zeros(4, np.int64)  # certain and wrong, and three classes that never occur
    score = metric(np.eye(4, dtype=np.float32)[[1, 1, 1, 1]], labels)
    assert type(score) is float
    assert 0 <= score < 20


def test_order_of_pictures_does_not_matter(metric):
    probabilities, labels = drawn()
    order = np.random.default_rng(1).permutation(len(labels))
    assert metric(probabilities[order], labels[order]) == pytest.approx(metric(probabilities, labels), rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "labels"),
    [((0, 3), []), ((2, 3), [0]), ((6,), [0] * 6), ((2, 3), [0, 3]), ((2, 3), [-1, 0]), ((2, 3), [[0], [1]])],
)
def test_refuses_what_it_cannot_judge(metric, shape, labels):
    with pytest.raises(ValueError, match="want"):
        metric(np.ones(shape, np.float32), np.array(labels, np.int64))


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(name, seed):
    probabilities, labels = drawn(seed=seed)
    assert metrics.register.get(name)(probabilities, labels) == pytest.approx(
        REFERENCE[name](probabilities, labels), rel=1e-6
    )
