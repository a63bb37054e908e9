"""Which settings the next trial gets: none that another trial has, as long as there are others.

The recipe as it stands comes first. Then a grid goes on in its order; TPE draws, and where what it draws was tried
before, the nearest combination that was not is taken, until there is none left.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from hangtag.study.space import Choice, Range, Settings, Space, Value

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from hangtag.study.sampler import Sampler

Identity: TypeAlias = tuple[tuple[str, Value], ...]

_NEAR = 10_000  # untried combinations that are looked at for the nearest: larger spaces hardly draw one twice
_REDRAWS = 20  # where some combinations can be tried again and again, and others have no end


def identity(settings: Settings) -> Identity:
    """The settings, fit to be a member of a set."""
    return tuple(sorted(settings.items()))


class Chooser:
    """Chooses settings out of a space.

    Args:
        space: what may be what.
        grid: take every combination in order; otherwise as TPE draws.
    """

    def __init__(self, space: Space, *, grid: bool) -> None:
        if grid and space.endless:
            next(space.combinations())  # says which key it is
        self._space, self._grid = space, grid
        self.start = space.start()
        within = all(value in space.dimensions[key] for key, value in self.start.items())
        size = space.size()
        self.outside = not within  # the recipe as it stands is no combination of the space
        self.total = None if size is None else size + self.outside  # different settings in all; None: no end of them

    def choose(
        self, taken: Iterable[Settings], study: optuna.Study, trial: FrozenTrial, sampler: Sampler
    ) -> Settings | None:
        """Settings for `trial`, none of those `taken`; None if all were. The same for the same trials before it."""
        tried = {identity(settings) for settings in taken}
        if identity(self.start) not in tried:
            return self.start
        if self._grid:
            return next((one for one in self._space.combinations() if identity(one) not in tried), None)
        drawn: Settings = {}
        for again in range(1 if self.total else _REDRAWS):
            pick = sampler.draft(study, trial, again)
            drawn = self._space.draw(lambda key, dimension: _plain(pick(key, distribution(dimension)), dimension))  # noqa: B023
            if identity(drawn) not in tried:
                return drawn
        return self._nearest(drawn, tried) if self.total else drawn

    def _nearest(self, drawn: Settings, tried: set[Identity]) -> Settings | None:
        untried = (one for one in self._space.combinations() if identity(one) not in tried)
        return min(itertools.islice(untried, _NEAR), key=lambda one: self._distance(one, drawn), default=None)

    def _distance(self, one: Settings, other: Settings) -> float:
        """A key that differs is 1; numbers of a range that are near each other less."""
        found = 0.0
        for key in one.keys() | other.keys():
            dimension, a, b = self._space.dimensions[key], one.get(key), other.get(key)
            if a != b and isinstance(dimension, Range) and isinstance(a, int | float) and isinstance(b, int | float):
                found += abs(a - b) / (dimension.high - dimension.low)
            elif a != b:
                found += 1
        return found


def distribution(dimension: Range | Choice) -> BaseDistribution:
    """As Optuna knows it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _plain(value: Value, dimension: Range | Choice) -> Value:
    """Python's own numbers, as a storage gives them back."""
    if isinstance(dimension, Choice):
        return value
    assert isinstance(value, int | float)
    return int(value) if dimension.whole else float(value)
