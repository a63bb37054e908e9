"""Which settings a trial gets: as planned, or by TPE from the trials before it. A function of (seed, trial's number).

A sampler with one seed for a whole study would, after a kill, draw the same trials over again, and so would a second
machine. Here each trial has a sampler of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from hangtag.core.seeds import derive
from hangtag.study.space import Settings


class Sampler(BaseSampler):
    """TPE, but for what is planned.

    Source: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; all keys together, those that only
    count with others in groups: Watanabe 2023, arXiv 2304.11127.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._number, self._tpe = -1, self._fresh(0)
        self.planned: Settings = {}  # of the trial that is sampled now

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Which keys are drawn together."""
        return {} if self.planned else self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values of those."""
        return {} if self.planned else self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A value of one key by itself."""
        if param_name in self.planned:
            return self.planned[param_name]
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def draft(self, study: optuna.Study, trial: FrozenTrial, again: int = 0) -> Callable[[str, BaseDistribution], Any]:
        """What each key would be for this trial, before any of it is written down.

        Args:
            study, trial: for which.
            again: 0 for what TPE draws; above, other values each time, evenly from the whole space.

        Returns:
            A function from key and distribution to the value.
        """
        if again:
            evenly = RandomSampler(seed=derive(self._seed, f"redraw {again}", trial.number) % 2**32)
            return lambda key, distribution: evenly.sample_independent(study, trial, key, distribution)
        together = self.sample_relative(study, trial, self.infer_relative_search_space(study, trial))
        return lambda key, distribution: (
            together[key] if key in together else self.sample_independent(study, trial, key, distribution)
        )

    def _of(self, trial: FrozenTrial) -> TPESampler:
        if trial.number != self._number:
            self._number, self._tpe = trial.number, self._fresh(trial.number)
        return self._tpe

    def _fresh(self, number: int) -> TPESampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # groups are "experimental"
            return TPESampler(seed=derive(self._seed, "trial", number) % 2**32, multivariate=True, group=True)
