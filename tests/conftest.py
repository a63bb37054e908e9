"""What holds for every test."""

import os
import shutil
from itertools import count
from pathlib import Path

import pytest

# Several workers share the cores: threads of PyTorch in each would wait for one another, a fifth of the suite's time.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def patience_by_state(monkeypatch):
    """A stopped child alone is given up, however little of a processor the others get."""
    from hangtag.preprocess import decoder

    ticks = count(1)

    def used(pid):
        try:
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:  # it has gone
            return next(ticks)
        return 0 if state == b"T" else next(ticks)

    monkeypatch.setattr(decoder, "_ticks", used)


@pytest.fixture(scope="session")
def browser():
    """A chromium for the whole session: two of Playwright's drivers do not get on in one process."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install 'hangtag[dev]'"
    )
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no chromium to open pages with: apt-get install chromium")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(executable_path=found, args=quiet)
        yield chromium
        chromium.close()
