"""The ledger as a page of Markdown: a table of all figures, then each claim, how it was read and what was typed."""

from __future__ import annotations

import shlex

from hangtag.core.printable import printable
from hangtag.study.claims import Row
from hangtag.study.ledger import Entry, Ledger

HEADING = "# Claims, measured"
_MARKS = {True: "yes", False: "**no**"}


def markdown(ledger: Ledger) -> str:
    """The whole page."""
    parts = [HEADING, _introduction(ledger)]
    heads = ("claimed of", "figure", "claimed", "ours", "ratio", "n", "reproduced", "better in no more time")
    table = [_cells(heads), _cells(("---", "---", "--:", "--:", "--:", "--:", "---", "---"))]
    for entry in ledger.entries:
        link = f"[{entry.name}](#{entry.name})"
        if entry.failed:
            table.append(_cells((link, f"could not be measured: {entry.failed}", "", "", "", "", "", "")))
        table += [_cells((link, *figures(row))) for row in entry.rows]
    parts.append("\n".join(table))
    parts += [_section(entry, ledger) for entry in ledger.entries]
    return "\n\n".join(parts) + "\n"


def _introduction(ledger: Ledger) -> str:
    took = sum(ledger.seconds.values())
    commits = " and ".join(sorted({f"`{commit}`" for commit in ledger.commits.values()}))
    cores = " or ".join(map(str, sorted(set(ledger.cores.values()))))
    versions = ", ".join(f"{name} {version}" for name, version in ledger.versions.items() if name != "commit")
    quick = "**A quick try of one epoch each: it shows that the commands work and reproduces nothing.** "
    typed = ["hangtag", "claims", *(["--quick"] if ledger.quick else [])]
    typed += ["--only", ",".join(ledger.only)] if ledger.only else []
    made = (
        f"Seed {ledger.seed}; {took / 60:.0f} minutes of commands, on {cores} of the cores of "
        f"{printable(ledger.machine)}; {versions}; {ledger.created[:10]}, commit {commits}: "
        f"`{shlex.join(typed)}`."
    )
    return (
        f"{quick if ledger.quick else ''}What published projects say of Fashion-MNIST, run again. Every figure comes "
        f"out of the command named with it; choices were made on 5,000 pictures held out of training, the test "
        f"pictures were read at the end. The same as JSON: [claims.json](claims.json).\n\n{made}\n\n"
        f"One standard error of an accuracy on 10,000 test pictures is 0.3 points at 90% and 0.2 at 96%. *Ratio* is "
        f"ours over the claimed number."
    )


def _section(entry: Entry, ledger: Ledger) -> str:
    claim = entry.claim
    lines = [
        f"## {entry.name}",
        f"**Claim.** {claim.said}  \n**Measured on.** {claim.measured_on}  \n**Read as.** {claim.reading}",
    ]
    lines += [f"Could not be measured: {printable(entry.failed)}"] if entry.failed else []
    lines += ["\n".join(f"- {remark}" for remark in entry.remarks)] if entry.remarks else []
    typed = [
        f"{ledger.lines[c.name]}  # {ledger.seconds[c.name]:.0f} s" for c in claim.commands if c.name in ledger.seconds
    ]
    lines += ["```\n" + "\n".join(typed) + "\n```"] if typed else []
    for shown in entry.confusions:
        lines.append(_confusion(shown))
    return "\n\n".join(lines)


def _confusion(shown: dict[str, object]) -> str:
    labels, matrix = shown["labels"], shown["matrix"]
    assert isinstance(labels, list)
    assert isinstance(matrix, list)
    head = f"<details><summary>Confusion matrix of {shown['of']}: rows are true, columns predicted</summary>\n"
    table = [_cells(("", *labels)), _cells(("---", *("--:" for _ in labels)))]
    table += [
        _cells((label, *(f"{count:,}" if count else "·" for count in row)))
        for label, row in zip(labels, matrix, strict=True)
    ]
    return "\n".join([head, *table, "\n</details>"])


def figures(row: Row) -> tuple[str, ...]:
    """Figure, claimed, ours, ratio, n, whether reproduced, what beats it: as words."""
    spread = "" if row.spread is None else f" ± {_number(row.spread, row.unit)}"
    return (
        row.figure,
        "–" if row.claimed is None else _number(row.claimed, row.unit),
        _number(row.ours, row.unit) + spread,
        "–" if row.ratio is None else f"{row.ratio:.3f}",
        str(row.n),
        _MARKS[row.reproduced],
        row.beaten or "–",
    )


def _number(value: float, unit: str) -> str:
    shown = {
        "share": f"{100 * value:.2f}%",
        "loss": f"{value:.3f}",
        "points": f"{100 * value:+.2f} points",
        "megabytes": f"{value:.1f} MB",
    }[unit]
    return shown


def _cells(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(printable(cell).replace('|', '/') for cell in cells)} |"
