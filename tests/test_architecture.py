"""Imports point down, siblings of one layer do not know each other, and torch stays where it belongs.

Every import is looked at, those inside functions too; those for type checkers only (`if TYPE_CHECKING:`) are not run
and may point anywhere down or sideways, never up.
"""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hangtag"
LAYERS = [
    {"core"},
    {"preprocess"},
    {"data", "augment", "models", "metrics", "classical", "recipes"},
    {"predict"},
    {"training", "evaluation", "audit", "export", "serve"},
    {"watch", "checks"},
    {"experiment", "report"},
    {"out_of_fold", "study"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FILES = sorted(SOURCE.rglob("*.py"))
WITHOUT_TORCH = (
    "core/",
    "preprocess/",
    "metrics/",
    "data/",
    "recipes/",
    "audit/",
    "checks/",
    "serve/",
    "predict/onnx.py",
    "predict/bundle.py",
)


def imports(path: Path) -> list[tuple[str, bool]]:
    """(dotted module, whether for type checkers only) of every import in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is a relative import"
            if node.module == "hangtag":
                found += [(f"hangtag.{alias.name}", id(node) in typing_only) for alias in node.names]
            else:
                found.append((str(node.module), id(node) in typing_only))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("require", "importlib.import_module"):
            found += [(str(word.value), False) for word in node.args[:1] if isinstance(word, ast.Constant)]
    return found


def home(module: str) -> str:
    return f"{module}.".split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_only_point_down(path):
    mine = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if mine.startswith("__"):  # the package's face
        return
    assert mine in LEVEL, f"{mine} has no layer: give it one here and in ARCHITECTURE.md"
    for module, typing_only in imports(path):
        if module.partition(".")[0] != "hangtag" or home(module) in ("", mine):
            continue
        theirs = home(module)
        assert theirs in LEVEL, f"{path.name} imports {module}, which has no layer"
        below = LEVEL[theirs] < LEVEL[mine] or (typing_only and LEVEL[theirs] == LEVEL[mine])
        assert below, f"{path.relative_to(SOURCE)} imports {module}, which is not below it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_nothing_imports_the_command_line_or_the_benchmarks(path):
    for module, _ in imports(path):
        assert module.partition(".")[0] not in ("benchmarks", "tests", "examples")
        if path.relative_to(SOURCE).parts[0] not in ("cli", "__main__.py"):
            assert not module.startswith("hangtag.cli")


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.relative_to(SOURCE).as_posix().startswith(WITHOUT_TORCH)],
    ids=lambda path: path.relative_to(SOURCE).as_posix(),
)
def test_what_a_bare_installation_needs_never_imports_torch(path):
    heavy = {"torch", "torchvision", "safetensors", "sklearn", "onnx", "onnxscript", "timm"}
    for module, typing_only in imports(path):
        assert typing_only or module.partition(".")[0] not in heavy, module


def test_recipes_know_only_core():
    for path in (SOURCE / "recipes").glob("*.py"):
        for module, _ in imports(path):
            assert module.partition(".")[0] != "hangtag" or home(module) in ("core", "recipes"), (path.name, module)


def test_every_folder_is_in_a_layer():
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert folders <= set(LEVEL), "a new folder: give it a layer here and in ARCHITECTURE.md"


def test_no_file_has_a_name_that_grows_without_end():
    banned = {"utils", "common", "helpers", "manager", "base", "misc"}
    assert not [path for path in FILES if path.stem.strip("_") in banned or path.parent.name in banned]


def test_this_test_sees_imports_inside_functions(tmp_path):
    code = "def f():\n    from hangtag import cli\n    import torch\n    require('sklearn.svm', extra='x')\n"
    (tmp_path / "x.py").write_text(code)
    assert imports(tmp_path / "x.py") == [("hangtag.cli", False), ("torch", False), ("sklearn.svm", False)]
