import numpy as np

from hangtag.checks.confident_mistakes import confident_mistakes


def test_certain_and_wrong_is_counted(evidence):
    found = confident_mistakes(evidence(confidence=0.995))  # 200 of 4,000 are wrong
    assert (found.severity, found.number) == ("serious", 0.05)
    assert found.sentence == "Of 4,000 pictures it was at least 99% sure of, 200 are wrong (5.00%)."


def test_one_in_a_hundred_is_what_99_percent_means(evidence):
    said = np.arange(4000) % 4
    said[:40] = (said[:40] + 1) % 4
    assert confident_mistakes(evidence(said=said, confidence=0.995)).severity == "good"


def test_a_model_that_is_never_certain_is_not_judged(evidence):
    assert confident_mistakes(evidence(confidence=0.9)) is None
