import numpy as np

from hangtag.core import hardware


def test_peak_memory_is_in_megabytes_and_only_grows():
    before = hardware.peak_rss_mb()
    assert 10 < before < 1e6
    held = np.ones(30_000_000)  # 240 MB
    assert hardware.peak_rss_mb() >= before
    assert hardware.peak_rss_mb() > held.nbytes / 1e6


def test_the_processor_has_a_name():
    assert hardware.cpu_name()
