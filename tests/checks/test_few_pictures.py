import numpy as np
import pytest

from hangtag.checks.few_pictures import few_pictures


@pytest.mark.parametrize(("n", "severity"), [(40, "warning"), (200, "note"), (4000, "good")])
def test_the_interval_of_few_pictures_is_wide(evidence, n, severity):
    found = few_pictures(evidence(labels=np.arange(n) % 4))
    assert found.severity == severity
    assert f"With {n:,} test pictures" in found.sentence


def test_says_how_many_pictures_would_do(evidence):
    found = few_pictures(evidence(labels=np.arange(200) % 4))
    assert found.number == pytest.approx(0.0311, abs=1e-4)
    assert "about 490 would do" in found.cure  # 200 x (3.11 / 2)^2 = 484
