"""What starts often starts fast: a command loads what it uses and nothing else."""

import json
import os
import subprocess
import sys

import click
import pytest

from hangtag.cli import verbs

TRAINING = {
    "torch",
    "safetensors",
    "sklearn",
    "scipy",
    "onnx",
    "onnxscript",
    "skl2onnx",
    "matplotlib",
    "pandas",
    "cleanlab",
    "captum",
    "jinja2",
    "optuna",
    "sqlalchemy",
}
SHOW = "import json, sys; print('\\n' + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def loaded(code: str) -> set[str]:
    """Top-level packages in memory after running `code`."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{SHOW}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(*arguments: str) -> str:
    return f"from hangtag.cli import _run; assert _run({list(arguments)}) == 0"


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded("import hangtag; dir(hangtag)") & {*TRAINING, "numpy", "onnxruntime", "PIL", "rich", "click"}


def test_help_loads_click_and_nothing_else():
    assert not loaded(command("--help")) & {*TRAINING, "numpy", "onnxruntime", "PIL", "rich", "psutil"}


def test_help_of_any_command_loads_nothing_to_compute_with():
    names = verbs.list_commands(click.Context(verbs))
    assert len(names) > 10
    assert not loaded("; ".join(command(name, "--help") for name in names)) & {*TRAINING, "onnxruntime"}


def test_list_loads_nothing_to_compute_with():
    assert not loaded(command("list")) & {*TRAINING, "onnxruntime"}


def test_recognise_loads_onnx_runtime_and_none_of_what_trains(tmp_path):
    import numpy as np
    from PIL import Image

    Image.fromarray(np.eye(28, dtype=np.uint8) * 200).save(tmp_path / "line.png")
    code = f"""
import hangtag.cli
from pathlib import Path
status = hangtag.cli._run(["recognise", {str(tmp_path / "line.png")!r}, "--json"])
assert status in (0, 5), status  # 5: an installation without the default model
import hangtag.predict.onnx, hangtag.predict.recogniser, hangtag.evaluation, hangtag.data.sets.fashion_mnist
"""
    packages = loaded(code)
    assert not packages & TRAINING
    assert "onnxruntime" in packages


def test_serving_loads_onnx_runtime_and_none_of_what_trains():
    packages = loaded("import hangtag.cli.serve, hangtag.serve.server; from hangtag import predict; predict.load()")
    assert not packages & TRAINING
    assert {"onnxruntime", "uvicorn"} <= packages


@pytest.mark.slow
def test_training_brings_no_compiler(tmp_path):
    """`torch._dynamo`, which PyTorch's optimisers import for `torch.compile`, costs a second and 70 MB."""
    pytest.importorskip("torch")
    small = "drawn.TRAINING_PICTURES = 200; drawn.TEST_PICTURES = 50"
    words = ("train", "lenet5", "--data", "drawn", "--epochs", "1", "--out", str(tmp_path / "run"), "--json")
    assert "sympy" not in loaded(f"from hangtag.data.sets import drawn; {small}; {command(*words)}")


def test_recipes_are_read_without_what_trains():
    assert not loaded("import hangtag; hangtag.recipe('fast'); hangtag.recipe('knn')") & TRAINING


@pytest.mark.skipif(os.name != "posix", reason="the processor time of children is not known")
def test_help_takes_less_than_three_tenths_of_a_second():
    """Processor time of the process, so that a busy machine does not fail it; the least of five."""
    before = os.times()
    spent = []
    for _ in range(5):
        subprocess.run([sys.executable, "-m", "hangtag", "--help"], capture_output=True, check=True)
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        spent.append(used)
        before = after
    assert min(spent) < 0.3, spent
