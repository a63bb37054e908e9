import numpy as np
import pytest

from hangtag.report.sections.trust import trust


def test_says_what_a_threshold_would_buy(judged):
    said = np.arange(300) % 3
    said[:30] = (said[:30] + 1) % 3
    rows = {row.least: row for row in trust(judged(said=said)).accepted}
    assert (rows[0.0].share, rows[0.0].right) == (1.0, pytest.approx(0.9))
    assert (rows[0.8].share, rows[0.8].right) == (1.0, pytest.approx(0.9))
    assert (rows[0.95].share, rows[0.95].right) == (0.0, None)  # nothing is that sure
