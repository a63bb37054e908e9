from hangtag.checks.class_imbalance import class_imbalance


def test_names_the_largest_and_the_smallest_class(evidence):
    found = class_imbalance(evidence(training_counts={"Shirt": 900, "Coat": 200, "Bag": 500}))
    assert (found.severity, found.number) == ("note", 4.5)
    assert found.sentence == "Shirt has 900 pictures to learn from, Coat only 200."
    assert class_imbalance(evidence(training_counts={"Shirt": 900, "Coat": 90})).severity == "warning"


def test_about_equal_is_good(evidence):
    assert class_imbalance(evidence(training_counts={"Shirt": 290, "Coat": 100})).severity == "good"


def test_without_training_pictures_nothing_is_said(evidence):
    assert class_imbalance(evidence(training_counts={})) is None
