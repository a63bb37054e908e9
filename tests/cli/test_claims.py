"""`hangtag claims` writes a page and a record, and says on the terminal what stands in them."""

import json

import pytest
from click.testing import CliRunner

from hangtag.cli.claims import command
from hangtag.core.errors import HangtagError
from hangtag.study import claims
from hangtag.study.claims import Claim, Command, Row


@pytest.fixture(autouse=True)
def claimed(monkeypatch):
    listed = Command(name="models", words=("list", "models"), seconds=1, keeps=False)
    claim = Claim(
        said="There are seven models.", measured_on="nothing.", reading="Seven or more.", commands=(listed,),
        rows=lambda results: [
            Row(figure="models", claimed=0.5, ours=0.75, command="models", beaten="`minutes`: more"),
            Row(figure="too few", claimed=0.5, ours=0.25, command="models"),
        ],
    )  # fmt: skip
    monkeypatch.setattr(claims.register, "_entries", {"some": claim})
    monkeypatch.setattr(claims.register, "names", lambda: ["some"])


def invoke(tmp_path, *words):
    where = ["--out", str(tmp_path / "docs"), "--work", str(tmp_path / "work")]
    return CliRunner().invoke(command, [*where, *words], catch_exceptions=False)


def test_shows_what_is_reproduced_and_what_is_not(tmp_path):
    result = invoke(tmp_path)
    lines = result.stdout.splitlines()
    assert any("✓" in line and "75.00%" in line and "minutes: more" in line for line in lines)
    assert any("✗" in line and "25.00%" in line for line in lines)
    page = (tmp_path / "docs" / "claims.md").read_text()
    assert "hangtag list models --json" in page
    record = json.loads((tmp_path / "docs" / "claims.json").read_text())
    assert [row["reproduced"] for row in record["claims"][0]["rows"]] == [True, False]


def test_json_stands_alone_on_standard_output(tmp_path):
    result = invoke(tmp_path, "--json", "--quick")
    record = json.loads(result.stdout)
    assert record["quick"]
    assert record["claims"][0]["rows"][0]["ours"] == 0.75
    assert "list models" in result.stderr


def test_a_file_of_the_users_is_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "docs" / "claims.md"
    mine.parent.mkdir()
    mine.write_text("# What I claim of my taxes")
    result = CliRunner().invoke(command, [], catch_exceptions=False)
    assert result.exit_code == 0
    assert mine.read_text() == "# What I claim of my taxes"
    assert (tmp_path / "runs" / "claims" / "claims.md").is_file()
    with pytest.raises(HangtagError, match=r"was not made by Hangtag") as caught:
        CliRunner().invoke(command, ["--out", "docs"], catch_exceptions=False)
    assert caught.value.code == "usage_value"
    assert mine.read_text() == "# What I claim of my taxes"
    assert CliRunner().invoke(command, [], catch_exceptions=False).exit_code == 0  # its own it writes anew


def test_in_its_own_sources_the_page_goes_to_docs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hangtag.core.optional.checkout", lambda: tmp_path.resolve())
    assert CliRunner().invoke(command, [], catch_exceptions=False).exit_code == 0
    assert (tmp_path / "docs" / "claims.md").is_file()
    assert CliRunner().invoke(command, ["--quick"], catch_exceptions=False).exit_code == 0
    assert (tmp_path / "runs" / "claims" / "claims.json").is_file()  # a try replaces nothing that was measured
    assert '"quick": false' in (tmp_path / "docs" / "claims.json").read_text()
