import re
from pathlib import Path

import pytest

from hangtag.core.errors import EXIT_STATUS, HangtagError

ROOT = Path(__file__).parents[2]
CODES = sorted(
    {
        code
        for path in (ROOT / "src").rglob("*.py")
        for code in re.findall(
            r"(?:HangtagError\(\s*|(?<!def )owning\([^\n\"]*)\"([a-z_]+)\"", path.read_text(encoding="utf-8")
        )
    }
)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_exit_status_and_is_documented(code):
    assert HangtagError(code, "x").exit_status in EXIT_STATUS.values()
    documented = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert f"`{code}`" in documented or f"`{code.replace('usage_unknown', '')}`" in documented


def test_every_code_raised_is_found_by_this_test():
    assert {"run_busy", "training_not_finite", "usage_device"} <= set(CODES)


def test_says_itself_in_json_types():
    error = HangtagError("run_busy", "somebody is here")
    assert error.to_dict() == {"code": "run_busy", "message": "somebody is here"}
    assert str(error) == "somebody is here"
