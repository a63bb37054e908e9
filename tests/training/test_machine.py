import subprocess
import sys
import textwrap

import pytest
import torch

from hangtag.core.errors import HangtagError
from hangtag.training import machine

CPU = torch.device("cpu")


def test_auto_is_some_device_and_cpu_is_always_there():
    assert machine.choose_device().type in ("cpu", "cuda", "mps")
    assert machine.choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpu:1", "cpu:x", "", "mps:3", "meta", "cpu:", "cpu:00"])
def test_a_device_that_is_not_there_is_a_line_for_the_user(name):
    with pytest.raises(HangtagError, match=r"it has .*cpu") as caught:
        machine.choose_device(name)
    assert caught.value.code == "usage_device"


@pytest.mark.parametrize("fast", [True, False])
def test_precision_is_as_asked_or_what_is_fast_here(monkeypatch, fast):
    monkeypatch.setattr(machine, "fast_bf16", lambda device: fast)
    assert machine.choose_precision("fp32", None, CPU) == "fp32"
    assert machine.choose_precision("bf16", "fp32", CPU) == "bf16"
    assert machine.choose_precision("auto", None, CPU) == ("bf16" if fast else "fp32")
    assert machine.choose_precision("auto", "fp32", CPU) == "fp32"


def test_describes_itself():
    assert machine.describe(CPU).startswith("CPU ")


CRAMPED = """
    import resource, sys
    import numpy as np, torch
    from pathlib import Path
    from hangtag.core.errors import HangtagError
    from hangtag.core.recipe import NetworkRecipe, Part
    from hangtag.core.types import Split
    from hangtag.training.interrupt import Stop
    from hangtag.training.loop import fit
    torch.set_num_threads(1)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + 600_000_000,) * 2)
    n = 20_000
    split = Split(np.zeros((n, 28, 28), np.uint8), np.arange(n) % 2, ("a", "b"))
    recipe = NetworkRecipe(name="r", model=Part("three_conv"), batch_size=n, epochs=1)
    try:
        fit(recipe, split, None, device=torch.device("cpu"), precision="fp32", checkpoints=Path(sys.argv[1]),
            stop=Stop(), clock=lambda: 0.0)
    except HangtagError as error:
        print(error.code, error.message)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits address space as Linux does")
def test_too_large_a_batch_for_the_memory_is_an_error_that_names_a_smaller_one(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(CRAMPED), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("training_out_of_memory"), (done.stdout, done.stderr)
    assert "--set batch_size=10000" in done.stdout
