import numpy as np

from hangtag.checks.weak_class import weak_class


def test_names_the_class_that_lags(evidence):
    labels = np.arange(4000) % 4
    said = labels.copy()
    said[(labels == 0) & (np.arange(4000) % 5 < 2)] = 1  # two fifths of the shirts are called coats
    found = weak_class(evidence(labels=labels, said=said))
    assert found.severity == "warning"
    assert found.sentence.startswith("Shirt is the weak class: F1 75.0%")
    assert "60.0% of its pictures are found" in found.sentence
    assert "Shirt" in found.cure


def test_equally_good_classes_have_no_weak_one(evidence):
    assert weak_class(evidence()).severity == "good"


def test_a_class_without_pictures_is_not_weak(evidence):
    labels = np.arange(3000) % 3
    assert weak_class(evidence(labels=labels, said=labels)).severity == "good"
