"""How much sooner is a step of training done with loops compiled for this machine?

Run: python benchmarks/kernels.py (two minutes)
Each recipe's network, batch size and optimiser, with the kernels and with PyTorch's own operations in turn, within one
process, on pictures of noise. That both compute the same is held by the tests of
`models/_rectified.py`, `_stem.py`, `_normed.py`, `_sparse.py`, `_winograd.py` and `_depthwise.py`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import _record
import torch
from rich.table import Table

from hangtag import models, recipes
from hangtag.core.recipe import NetworkRecipe
from hangtag.models import _kernels
from hangtag.training import machine, optimisers

RECIPES = ("lenet5", "brownlee", "three_conv", "custom_cnn", "efficientnet", "minutes", "transfer", "quarter_hour")
SECONDS = 1.0  # of steps in each turn


def steps(recipe: NetworkRecipe, precision: str) -> Any:
    """A function that takes one step on the same pictures again."""
    torch.manual_seed(0)
    network = models.create(recipe.model, 10, 1, 28).to(memory_format=torch.channels_last)
    optimiser = recipe.optimiser.call(optimisers.register.get(recipe.optimiser.name), network)
    pictures = torch.randn(recipe.batch_size, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (recipe.batch_size,))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = network(pictures)
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def turn(step: Any, seconds: float) -> list[float]:
    """Milliseconds of each step, the first two left out."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        started = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - started))
    return times[2:]


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--rounds", type=int, default=5, help="turns of each side  [default: 5]")
parser.add_argument("--quick", action="store_true", help="a try, of one short turn: no result")
options = parser.parse_args()
record = _record.Record("kernels", __doc__.partition("\n")[0], quick=options.quick)
kernels = _kernels.load()
if kernels is None:
    raise SystemExit(f"there are no kernels here: {_kernels.why_not()}")
machine.keep_memory()
rounds, seconds = (1, 0.2) if options.quick else (options.rounds, SECONDS)

measurements: list[dict[str, Any]] = []
table = Table(title="milliseconds of a step", title_justify="left", title_style="bold")
for head in ("", "PyTorch", "kernels", "ratio"):
    table.add_column(head, justify="left" if not head else "right")
summary: dict[str, Any] = {}
for name in RECIPES:
    recipe = recipes.create(name)
    assert isinstance(recipe, NetworkRecipe)
    for precision in ("bf16", "fp32") if machine.fast_bf16(torch.device("cpu")) else ("fp32",):
        step = steps(recipe, precision)
        found: dict[str, list[float]] = {"pytorch": [], "kernels": []}
        for _ in range(rounds):
            for side in found:
                _kernels.load = (lambda: kernels) if side == "kernels" else (lambda: None)
                found[side].append(statistics.median(turn(step, seconds)))
        medians = {side: statistics.median(times) for side, times in found.items()}
        ratio = medians["kernels"] / medians["pytorch"]
        measurements.append({"recipe": name, "precision": precision, "batch_size": recipe.batch_size, "ms": found})
        summary[f"{name} {precision}"] = {**medians, "ratio": ratio}
        cells = [f"{medians['pytorch']:.2f}", f"{medians['kernels']:.2f}", f"{ratio:.2f}"]
        table.add_row(f"{name}, {precision}, {recipe.batch_size} pictures", *cells)
_record.console.print(table)
record.write(seeds=(0,), n=rounds, measurements=measurements, summary=summary)
