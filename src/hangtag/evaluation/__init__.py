"""Judging: what a predictor gets right, how sure that number is, and what it takes for what."""

from __future__ import annotations

from hangtag.evaluation.bundle import evaluate_bundle
from hangtag.evaluation.evaluation import Evaluation, judge

__all__ = ["Evaluation", "evaluate_bundle", "judge"]
