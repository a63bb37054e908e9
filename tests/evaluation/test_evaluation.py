import json

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from hangtag.core.errors import HangtagError
from hangtag.core.types import Split
from hangtag.evaluation import evaluation as module
from hangtag.evaluation import judge
from hangtag.evaluation.evaluation import wilson_interval

NAMES = ("Shirt", "Coat", "<script>alert(1)</script>", "\x1b[31mred")


class Reader:
    """Reads its answer off the picture: pixel (0, 0) is the class it names, with probability 0.7."""

    class_names = NAMES

    def predict_proba(self, images):
        probabilities = np.full((len(images), len(NAMES)), 0.1, np.float32)
        probabilities[np.arange(len(images)), images[:, 0, 0]] = 0.7
        return probabilities


def drawn(n=400, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, len(NAMES), n)
    said = np.where(generator.random(n) < 0.7, labels, generator.integers(0, len(NAMES), n))
    images = np.zeros((n, 4, 4), np.uint8)
    images[:, 0, 0] = said
    return Split(images, labels.astype(np.int64), NAMES), said


@pytest.fixture
def evaluation():
    return judge(Reader(), drawn()[0], name="reader", data="drawn")


def test_agrees_with_scikit_learn(evaluation):
    split, said = drawn()
    np.testing.assert_array_equal(evaluation.confusion, sklearn_metrics.confusion_matrix(split.labels, said))
    assert evaluation.accuracy == pytest.approx(sklearn_metrics.accuracy_score(split.labels, said))
    columns = sklearn_metrics.precision_recall_fscore_support(split.labels, said)
    for i, row in enumerate(evaluation.per_class):
        assert row == {
            "label": NAMES[i],
            "precision": pytest.approx(columns[0][i]),
            "recall": pytest.approx(columns[1][i]),
            "f1": pytest.approx(columns[2][i]),
            "support": columns[3][i],
        }


def test_json_has_the_promised_keys_and_survives_a_round_trip(evaluation):
    record = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert {"n", "accuracy", "loss", "precision", "recall", "f1", "per_class", "confusion"} <= record.keys()
    assert {"accuracy_interval", "ece", "class_names", "name", "data"} <= record.keys()
    assert record["n"] == 400 == sum(map(sum, record["confusion"]))


def test_batches_change_neither_order_nor_answer(monkeypatch):
    split, _ = drawn(n=10)
    whole = judge(Reader(), split).to_dict()
    seen = []
    monkeypatch.setattr(module, "STEP", 3)
    assert judge(Reader(), split, lambda what, done, n: seen.append((done, n))).to_dict() == whole
    assert seen == [(3, 10), (6, 10), (9, 10), (10, 10)]


def test_other_class_names_are_refused_by_name():
    split, _ = drawn()
    other = Split(split.images, split.labels, ("Shirt", "Hat", *NAMES[2:]))
    with pytest.raises(HangtagError, match=r"does not know 'Hat'; the data has no 'Coat'") as caught:
        judge(Reader(), other)
    assert caught.value.code == "bundle_incompatible"


def test_class_names_in_another_order_are_refused():
    split, _ = drawn()
    with pytest.raises(HangtagError, match="another order"):
        judge(Reader(), Split(split.images, split.labels, tuple(reversed(NAMES))))


def test_no_pictures_are_refused():
    split, _ = drawn()
    with pytest.raises(HangtagError) as caught:
        judge(Reader(), split.take(np.arange(0)))
    assert caught.value.code == "data_empty"


def test_answers_that_are_not_finite_are_refused(monkeypatch):
    monkeypatch.setattr(Reader, "predict_proba", lambda self, images: np.full((len(images), 4), np.nan, np.float32))
    with pytest.raises(HangtagError) as caught:
        judge(Reader(), drawn()[0])
    assert caught.value.code == "bundle_damaged"


def test_a_metric_of_your_own_gets_its_column(monkeypatch):
    from hangtag import metrics

    monkeypatch.setitem(metrics.register._entries, "sureness", lambda probabilities, labels: 0.25)
    assert judge(Reader(), drawn()[0]).to_dict()["sureness"] == 0.25


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(9000, 10000, 0.8940, 0.9057), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (50, 100, 0.4038, 0.5962)],
)
def test_interval_is_wilsons(hits, n, low, high):  # the values scipy's binomtest(...).proportion_ci("wilson") gives
    assert wilson_interval(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_commonest_mistakes_come_first_and_right_answers_never(evaluation):
    found = evaluation.confusions(100)
    counts = [count for *_, count, _ in found]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == evaluation.n - evaluation.confusion.trace()
    assert all(true != taken for true, taken, *_ in found)
