"""What the documents tell people to type is understood; the README's Python runs."""

import re
import shlex
from pathlib import Path

import pytest

from hangtag.cli import verbs

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "SECURITY.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("docs/**/*.md"))),
]


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "(?:bash|sh)") for line in block.splitlines()]
    return [line.partition("#")[0].strip() for line in lines if line.startswith("hangtag ")]


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_documents_is_understood(line):
    words = shlex.split(line)[1:]
    context = verbs.make_context("hangtag", list(words))  # parses, runs nothing
    name, command, rest = verbs.resolve_command(context, words)
    assert command is not None
    command.make_context(name, rest, parent=context).close()


def test_the_documents_show_commands():
    assert len(commands()) >= 20


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [
        target for target in targets if "://" not in target and not (ROOT / page).parent.joinpath(target).exists()
    ]
    assert not missing


def test_every_error_code_is_explained():
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    codes = re.findall(r'HangtagError\(\s*"([a-z_]+)"', source)
    assert len(codes) > 50
    # `usage_unknown_recipe`, `_model`, ... stand in one cell
    missing = [
        code for code in codes if f"`{code}`" not in page and f"`{code.replace('usage_unknown', '')}`" not in page
    ]
    assert not missing


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_readmes_python_runs(tmp_path, monkeypatch):
    from hangtag.data.sets import drawn

    monkeypatch.chdir(tmp_path)
    from PIL import Image

    Image.fromarray(255 - drawn.pictures(1, seed=0).images[0]).resize((300, 300)).save("shirt.jpg")
    (code,) = blocks("README.md", "python")
    exec(compile(code, "README.md", "exec"), {})
