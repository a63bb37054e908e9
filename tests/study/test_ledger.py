"""The ledger runs real commands, once each, and a command that fails takes only its own claims with it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.study import claims, ledger
from hangtag.study.claims import Claim, Command, Row
from hangtag.study.claims_page import markdown

MODELS = Command(name="models", words=("list", "metrics"), seconds=1, keeps=False)
AGAIN = Command(name="again", words=("list", "recipes"), quick=("list", "metrics"), seconds=1, keeps=False)
WRONG = Command(name="wrong", words=("evaluate", "{models}/nothing-there"), seconds=1, keeps=False)


def claim(*commands, rows=None, **kwargs):
    def counted(results):
        first = commands[0].name
        return [Row(figure="entries | of it", claimed=3.0, ours=len(*results[first].values()), command=first)]

    return Claim(
        said="There are three models.", measured_on="nothing", reading="Three or more.", commands=commands,
        rows=rows or counted, **kwargs,
    )  # fmt: skip


@pytest.fixture
def claimed(monkeypatch):
    """claimed(name=Claim, ...): these are all the claims there are."""

    def only(**entries):
        monkeypatch.setattr(claims.register, "_entries", entries)
        monkeypatch.setattr(claims.register, "names", lambda: sorted(entries))

    return only


def test_a_figure_comes_out_of_the_command_it_names(claimed, tmp_path):
    claimed(some=claim(MODELS))
    told = []
    found = ledger.measure(tmp_path, message=told.append)
    (row,) = found.rows
    assert row.ours == len(_listed("metrics"))
    assert found.lines["models"] == "hangtag list metrics --json"
    assert found.seconds["models"] > 0
    assert told == ["1 of 1, about 1 s left: hangtag list metrics --json"]


def _listed(kind):
    from hangtag.cli.list import _entries

    return _entries(kind)


def test_a_command_that_has_run_is_not_run_again(claimed, tmp_path):
    claimed(some=claim(MODELS), other=claim(MODELS, AGAIN))
    told = []
    first = ledger.measure(tmp_path, message=told.append)
    assert len(told) == 2  # two claims share one command
    assert ledger.measure(tmp_path, message=told.append).rows == first.rows
    assert len(told) == 2


def test_a_quick_try_has_words_and_results_of_its_own(claimed, tmp_path):
    claimed(some=claim(AGAIN))
    quick = ledger.measure(tmp_path, quick=True)
    whole = ledger.measure(tmp_path)
    assert "metrics" in quick.lines["again"]
    assert "recipes" in whole.lines["again"]
    assert quick.rows != whole.rows


def test_a_command_that_fails_takes_only_its_own_claims_with_it(claimed, tmp_path):
    claimed(broken=claim(MODELS, WRONG), sound=claim(MODELS))
    found = ledger.measure(tmp_path)
    broken, sound = found.entries
    assert "nothing-there" in broken.failed
    assert not broken.rows
    assert sound.rows
    assert not sound.failed
    assert "could not be measured" in markdown(found)


def test_seed_and_data_reach_every_command_that_takes_them(tmp_path):
    desk = ledger._Desk(tmp_path, data="drawn", seed=7, quick=False, output=print)
    words = desk.words(Command(name="x", words=("train", "{grid}/recipe.json"), seconds=1))
    assert words == [
        "train", (tmp_path / "grid/recipe.json").as_posix(), "--out", (tmp_path / "x").as_posix(), "--seed", "7",
        "--data", "drawn", "--json",
    ]  # fmt: skip


def test_another_seed_or_data_has_results_of_its_own(claimed, tmp_path, monkeypatch):
    claimed(some=claim(MODELS))
    monkeypatch.setattr(ledger, "run_hangtag", lambda words, output: {"metrics": []})
    ledger.measure(tmp_path)
    ledger.measure(tmp_path, seed=1)
    ledger.measure(tmp_path, data="drawn")
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "whole-seed-1", "whole-drawn"}


def test_where_nothing_could_be_measured_that_is_an_error(claimed, tmp_path):
    claimed(some=claim(MODELS, WRONG))
    with pytest.raises(HangtagError, match="nothing could be measured") as caught:
        ledger.measure(tmp_path)
    assert caught.value.code == "training_failed"


@pytest.mark.parametrize(
    "printed", [{"rows": [{"n": 0, "failed": [{"seed": 0}]}]}, {"frozen": {"error": {"code": "x", "message": "y"}}}]
)
def test_a_study_with_a_failed_part_is_read_but_run_again_next_time(claimed, tmp_path, monkeypatch, printed):
    claimed(some=claim(MODELS))
    ran = []
    monkeypatch.setattr(ledger, "run_hangtag", lambda words, output: ran.append(words) or printed)
    for _ in range(2):
        ledger.measure(tmp_path)
    assert len(ran) == 2


def test_an_unknown_claim_is_told_with_the_nearest_name(tmp_path):
    with pytest.raises(HangtagError, match="transfer"):
        ledger.measure(tmp_path, only=["transfre"])


def test_a_damaged_record_is_named(claimed, tmp_path):
    claimed(some=claim(MODELS))
    ledger.measure(tmp_path)
    (tmp_path / "whole" / "models.printed.json").write_text("{")
    with pytest.raises(HangtagError, match=r"models\.printed\.json") as told:
        ledger.measure(tmp_path)
    assert told.value.code == "run_damaged"


@pytest.mark.parametrize(
    ("ours", "wanted", "reproduced"),
    [(0.9, "least", True), (0.89, "least", False), (0.9, "most", True), (0.91, "most", False)],
)
def test_a_figure_is_reproduced_from_the_right_side(ours, wanted, reproduced):
    row = Row(figure="x", claimed=0.9, ours=ours, wanted=wanted, command="c")
    assert row.reproduced == reproduced
    assert row.ratio == pytest.approx(ours / 0.9)


def test_the_page_and_the_record_hold_every_figure(claimed, tmp_path):
    def rows(results):
        return [
            Row(figure="a share", claimed=0.9, ours=0.95, spread=0.01, n=3, command="models", beaten="`seconds`"),
            Row(figure="a size", claimed=20.0, ours=21.0, unit="megabytes", wanted="most", command="models"),
            Row(figure="words alone", claimed=None, ours=0.5, unit="loss", command="models"),
        ]

    claimed(some=claim(MODELS, rows=rows, remarks=lambda results: ["It was cold."]))
    found = ledger.measure(tmp_path)
    page = markdown(found)
    assert "| a share | 90.00% | 95.00% ± 1.00% | 1.056 | 3 | yes | `seconds` |" in page
    assert "| a size | 20.0 MB | 21.0 MB | 1.050 | 1 | **no** | – |" in page
    assert "| words alone | – | 0.500 | – | 1 | yes | – |" in page
    assert "It was cold." in page
    assert "hangtag list metrics --json" in page
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [row["reproduced"] for row in record["claims"][0]["rows"]] == [True, False, True]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_an_answer_longer_than_a_pipe_holds_nothing_up(tmp_path, monkeypatch):
    stand_in = tmp_path / "python"
    answer = "print(json.dumps({'long': 'x' * 300_000})); print('told', file=sys.stderr)"
    stand_in.write_text(f"#!{sys.executable}\nimport json, sys\n{answer}\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr(ledger.sys, "executable", str(stand_in))
    told = []
    assert len(ledger.run_hangtag(["list"], told.append)["long"]) == 300_000
    assert told == ["told"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_command_ends_with_the_one_that_asked_for_it(tmp_path):
    """Killed without a word, `claims` leaves nothing behind that trains on and keeps the folder."""
    words = ["serve", "--port", "0", "--json"]  # silent, and endless, once it has said where
    program = f"""
from hangtag.study import ledger
real = ledger.subprocess.Popen
def started(*arguments, **options):
    child = real(*arguments, **options)
    print(child.pid, flush=True)
    return child
ledger.subprocess.Popen = started
ledger.run_hangtag({words}, print)
"""
    asking = subprocess.Popen([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, encoding="utf-8")
    with asking:
        assert asking.stdout is not None
        child = int(asking.stdout.readline())
        time.sleep(0.5)
        assert "serve" in words_of(child)
        asking.kill()
    while words_of(child):
        time.sleep(0.05)


def words_of(process):
    """Empty for one that has ended, buried or not."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def test_a_folder_that_is_being_left_is_waited_for(claimed, tmp_path, monkeypatch):
    claimed(some=claim(MODELS))
    answers = [HangtagError("run_busy", "another process is at work"), {"metrics": [1, 2, 3]}]

    def ask(words, output):
        answer = answers.pop(0)
        if isinstance(answer, HangtagError):
            raise answer
        return answer

    monkeypatch.setattr(ledger, "run_hangtag", ask)
    monkeypatch.setattr(ledger.time, "sleep", lambda seconds: None)
    assert ledger.measure(tmp_path).rows[0].ours == 3


def test_the_time_before_it_was_stopped_counts_too(claimed, tmp_path, monkeypatch):
    kept = Command(name="kept", words=("train", "lenet5"), seconds=1)
    claimed(some=claim(kept))
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr(ledger.time, "perf_counter", lambda: next(clock))
    outcomes = [KeyboardInterrupt(), {"metrics": [1, 2, 3]}]

    def ask(words, output):
        outcome = outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(ledger, "run_hangtag", ask)
    with pytest.raises(KeyboardInterrupt):
        ledger.measure(tmp_path)
    stopped = json.loads((tmp_path / "whole" / "kept.spent.json").read_text())
    assert stopped >= 100
    assert ledger.measure(tmp_path).seconds["kept"] >= stopped + 100
    assert not (tmp_path / "whole" / "kept.spent.json").exists()
