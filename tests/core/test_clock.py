import subprocess
import sys
import time

from hangtag.core import clock


def test_age_grows_with_time_and_from_the_start_of_the_process():
    code = "import time; time.sleep(0.3); from hangtag.core.clock import process_age_s; print(process_age_s())"
    began = time.perf_counter()
    age = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 0.25 < age <= time.perf_counter() - began + 0.02  # a tick of the kernel's clock


def test_a_clock_set_to_another_day_changes_no_age(monkeypatch):
    monkeypatch.setattr(clock, "_age", None)
    age = clock.process_age_s()
    if sys.platform == "linux":  # elsewhere the start is known by time of day only, and read once
        monkeypatch.setattr(clock, "_age", None)
    for jump in (86_400, -86_400):
        monkeypatch.setattr(time, "time", lambda jump=jump: 1.8e9 + jump)
        assert 0 <= clock.process_age_s() - age < 3600
