import json
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from hangtag.core import optional
from hangtag.core.errors import HangtagError
from hangtag.core.optional import require


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return lambda name, code: (tmp_path / f"{name}.py").write_text(code)


def test_gives_the_module():
    assert require("json", extra="x").dumps(1) == "1"


def test_a_missing_package_names_the_extra_that_brings_it():
    with pytest.raises(
        HangtagError,
        match=r"no_such_thing.*pip install 'hangtag\[train\]' \(in this checkout: pip install -e '?/.*\[train\]'\)",
    ) as caught:
        require("no_such_thing.inner", extra="train")
    assert caught.value.code == "extra_missing"
    assert caught.value.exit_status == 9


def test_every_module_of_an_extra_is_known(monkeypatch):
    """What is imported somewhere and not installed names its extra, wherever that import stands."""
    for extra, modules in optional.EXTRAS.items():
        for module in modules:
            with pytest.raises(HangtagError, match=rf"needs {module}, .*'hangtag\[{extra}\]'"), optional.importing():
                raise ModuleNotFoundError(f"No module named '{module}.x'", name=f"{module}.x")
    with pytest.raises(ModuleNotFoundError), optional.importing():
        raise ModuleNotFoundError("No module named 'other'", name="other")


def test_the_extras_are_those_of_pyproject():
    path = Path(__file__).parents[2] / "pyproject.toml"
    declared = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert declared.keys() - optional.EXTRAS.keys() == {"all", "dev"}
    for extra, modules in optional.EXTRAS.items():
        lines = " ".join(declared[extra]).replace("scikit-learn", "sklearn").replace("opencv", "cv2").replace("-", "_")
        of_others = {"sqlalchemy", "torchvision"}  # which optuna and timm bring
        assert [module for module in modules if module not in lines and module not in of_others] == []


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """installed(direct_url.json or None) -> what installs the extra `tune` there."""

    def installed(record, checkout=False):
        package = tmp_path / "somewhere" / "src" / "hangtag" / "core"
        package.mkdir(parents=True, exist_ok=True)
        if checkout:
            (tmp_path / "somewhere" / "pyproject.toml").touch()
        monkeypatch.setattr(optional, "__file__", str(package / "optional.py"))

        class Distribution:
            def read_text(self, name):
                return None if record is None else json.dumps(record)

        monkeypatch.setattr(metadata, "distribution", lambda name: Distribution())
        optional._origin.cache_clear()
        return optional.install_command("tune")

    yield installed
    optional._origin.cache_clear()


def test_what_installs_an_extra_is_said_for_where_this_runs(installed, tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    assert installed(None) == "pip install 'hangtag[tune]'"
    assert installed({"url": folder.as_uri(), "dir_info": {}}) == f"pip install '{folder}[tune]'"
    gone = {"url": (tmp_path / "gone").as_uri(), "dir_info": {}}
    assert installed(gone) == "pip install 'hangtag[tune]'"
    git = {"url": "https://host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    assert installed(git) == "pip install 'hangtag[tune] @ git+https://host/x.git@abc'"
    wheel = {"url": "file:///x/hangtag-0.1.0-py3-none-any.whl", "archive_info": {}}
    assert installed(wheel) == "pip install 'hangtag[tune] @ file:///x/hangtag-0.1.0-py3-none-any.whl'"
    assert installed(None, checkout=True) == f"pip install -e '{tmp_path / 'somewhere'}[tune]'"


def test_a_checkout_that_was_never_installed_says_its_own_folder():
    assert optional.install_command("tune").startswith("pip install -e ")
    assert optional.install_command().startswith("pip install -e ")


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
