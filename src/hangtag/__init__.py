"""Hangtag recognises fashion products in pictures.

    import hangtag

    hangtag.load("default").recognise("shirt.jpg")  # what is it?
    run = hangtag.train("three_conv")  # learn it anew
    hangtag.evaluate(run.bundle)  # how good is it?

Names are loaded when first used: `import hangtag` imports neither torch nor ONNX Runtime.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hangtag.core import environment

environment.prepare()  # before any native library is loaded

__version__ = "0.1.0"

_HOME = {
    "ClassicalRecipe": ("hangtag.core.recipe", "ClassicalRecipe"),
    "Evaluation": ("hangtag.evaluation", "Evaluation"),
    "HangtagError": ("hangtag.core.errors", "HangtagError"),
    "NetworkRecipe": ("hangtag.core.recipe", "NetworkRecipe"),
    "Part": ("hangtag.core.recipe", "Part"),
    "Run": ("hangtag.experiment", "Run"),
    "Split": ("hangtag.core.types", "Split"),
    "evaluate": ("hangtag.evaluation", "evaluate_bundle"),
    "load": ("hangtag.predict", "load"),
    "override": ("hangtag.core.recipe", "override"),
    "recipe": ("hangtag.recipes", "create"),
    "train": ("hangtag.experiment", "run"),
}
__all__ = [
    "ClassicalRecipe",
    "Evaluation",
    "HangtagError",
    "NetworkRecipe",
    "Part",
    "Run",
    "Split",
    "__version__",
    "evaluate",
    "load",
    "override",
    "recipe",
    "train",
]

if TYPE_CHECKING:
    from hangtag.core.errors import HangtagError as HangtagError
    from hangtag.core.recipe import ClassicalRecipe as ClassicalRecipe
    from hangtag.core.recipe import NetworkRecipe as NetworkRecipe
    from hangtag.core.recipe import Part as Part
    from hangtag.core.recipe import override as override
    from hangtag.core.types import Split as Split
    from hangtag.evaluation import Evaluation as Evaluation
    from hangtag.evaluation import evaluate_bundle as evaluate
    from hangtag.experiment import Run as Run
    from hangtag.experiment import run as train
    from hangtag.predict import load as load
    from hangtag.recipes import create as recipe


def __getattr__(name: str) -> Any:
    if name in _HOME:
        module, attribute = _HOME[name]
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'hangtag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
