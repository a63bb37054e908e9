import numpy as np
import pytest
from sklearn.svm import SVC

from hangtag.classical._kernel_svm import KernelSVM


def blobs(classes, n=240, seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    return (generator.normal(0, 1.5, (n, 5)) + 2 * np.eye(5)[labels]).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_margins_are_libsvms(classes):
    rows, labels = blobs(classes)
    ours = KernelSVM(C=3.0, gamma=1.5).fit(rows, labels)
    theirs = SVC(C=3.0, gamma=ours.width_, decision_function_shape="ovo").fit(rows, labels).decision_function(rows)
    if classes == 2:
        theirs = -theirs[:, None]
    np.testing.assert_allclose(ours.margins(rows), theirs, atol=1e-5)


def test_labels_are_libsvms_but_for_close_calls():
    rows, labels = blobs(5, 600)
    ours = KernelSVM().fit(rows, labels)
    unseen, _ = blobs(5, 600, seed=1)
    theirs = SVC(C=10.0, gamma=ours.width_).fit(rows, labels).predict(unseen)
    margins = np.sort(ours._votes(unseen), axis=1)
    clear = margins[:, -1] - margins[:, -2] > 1
    assert clear.mean() > 0.5
    assert (ours.predict(unseen) == theirs)[clear].mean() > 0.98


def test_temperature_makes_confidence_honest():
    rows, labels = blobs(3, 1500)
    unseen, truth = blobs(3, 1500, seed=1)
    machine = KernelSVM(C=1.0, gamma=0.5).fit(rows, labels)
    probabilities = machine.predict_proba(unseen)
    hits = probabilities.argmax(axis=1) == truth
    assert probabilities.max(axis=1).mean() == pytest.approx(hits.mean(), abs=0.04)


def test_labels_need_not_start_at_zero():
    rows, labels = blobs(3)
    assert set(KernelSVM().fit(rows, labels + 5).predict(rows)) == {5, 6, 7}
