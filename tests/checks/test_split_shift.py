import numpy as np
import pytest

from hangtag.checks.split_shift import split_shift


def test_a_test_that_is_harder_than_validation_is_told(evidence):
    easier = evidence(said=np.arange(4000) % 4).evaluation  # 100% against 95%
    found = split_shift(evidence(validation=easier))
    assert (found.severity, found.number) == ("note", pytest.approx(0.05))
    assert "harder" in found.sentence
    harder = evidence(validation=evidence().evaluation, said=np.arange(4000) % 4)
    assert "easier" in split_shift(harder).sentence


def test_what_chance_explains_is_no_shift(evidence):
    few = evidence(labels=[0, 1, 2, 3], said=[0, 1, 2, 2]).evaluation
    assert split_shift(evidence(validation=few)).severity == "good"


def test_without_validation_nothing_is_said(evidence):
    assert split_shift(evidence(validation=None)) is None
