"""Spans of time as people write them."""

from __future__ import annotations

import re
from typing import Any

import click

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class _Duration(click.ParamType[float]):
    """`90`, `90s`, `10m`, `1.5h`, `1h30m`: seconds above 0."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", text := str(value).strip().lower())
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        if "".join(number + unit for number, unit in parts) != text or seconds <= 0:
            self.fail(f"{value!r} is no time: say 90s, 10m or 2h", param, ctx)
        return seconds


DURATION = _Duration()
