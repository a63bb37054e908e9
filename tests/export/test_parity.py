import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.export.parity import compare

IMAGES = np.zeros((4, 2, 2), np.uint8)


class Says:
    """A predictor with a fixed answer."""

    class_names = ("a", "b")

    def __init__(self, *first: float) -> None:
        self.answer = np.array([[p, 1 - p] for p in first], np.float32)

    def predict_proba(self, images):
        return self.answer


def test_measures_the_largest_difference_and_the_agreement():
    parity = compare(Says(0.5003, 0.1, 0.2, 0.3), Says(0.4999, 0.1, 0.2, 0.3), IMAGES)
    assert parity.max_abs_difference == pytest.approx(0.0004, rel=1e-3)
    assert (parity.n, parity.agreement) == (4, 0.75)
    assert parity.to_dict() == {"n": 4, "max_abs_difference": parity.max_abs_difference, "agreement": 0.75}


@pytest.mark.parametrize("first", [0.6, float("nan")])
def test_refuses_what_is_another_function(first):
    with pytest.raises(HangtagError, match="differs from the trained one") as caught:
        compare(Says(first, 0.1, 0.2, 0.3), Says(0.5, 0.1, 0.2, 0.3), IMAGES)
    assert caught.value.code == "bundle_parity"
