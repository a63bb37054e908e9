import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return lambda name, code: (tmp_path / f"{name}.py").write_text(code)


def test_gives_the_module():
    assert require("json", extra="x").dumps(1) == "1"


def test_a_missing_package_names_the_extra_that_brings_it():
    with pytest.raises(HangtagError, match=r"no_such_thing.*pip install 'hangtag\[train\]'") as caught:
        require("no_such_thing.inner", extra="train")
    assert caught.value.code == "extra_missing"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("import no_such_thing", "lacks no_such_thing"),
        ("raise OSError('libx.so\\nmore')", "libx.so"),
        ("from os import x", "x"),
    ],
)
def test_a_package_that_does_not_import_says_why(package, code, hint):
    name = f"broken_{abs(hash(code))}"
    package(name, code)
    with pytest.raises(HangtagError, match=hint) as caught:
        require(name, extra="train")
    assert caught.value.code == "extra_broken"
    assert "\n" not in caught.value.message
