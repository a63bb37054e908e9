"""What holds for every test."""

import os

# Several workers share the cores: threads of PyTorch in each would wait for one another, a fifth of the suite's time.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
