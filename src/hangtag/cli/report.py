"""hangtag report: one HTML file on a trained model, or on two side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: hangtag report default --out report.html")
@click.argument("bundle")
@click.argument("other", required=False)
@click.option("--out", type=click.Path(path_type=Path), default="report.html", show_default=True, help="File to write.")
@click.option("--data", metavar="PATH", help="Where the data lies. [default: the data the model was trained on]")
@click.option("--json", "as_json", is_flag=True, help="Findings and numbers as JSON on standard output.")
def command(bundle: str, other: str | None, out: Path, data: str | None, as_json: bool) -> None:
    """What BUNDLE (a folder or a name) is good for, as one HTML file to open, print or mail.

    A verdict with coded findings, numbers, curves, the confusion matrix with its pictures, calibration, every mistake,
    data quality and a model card. With OTHER, a second bundle: both side by side, and where they differ.
    """
    from hangtag.cli._progress import bars
    from hangtag.core.errors import HangtagError
    from hangtag.core.printable import printable
    from hangtag.report import report_on, report_on_two

    if out.is_dir():
        raise HangtagError("usage_value", f"--out should be a file, and {out} is a folder: say {out / 'report.html'}")
    with bars() as progress:
        report = report_on_two(bundle, other, data, progress) if other else report_on(bundle, data, progress)
    report.write(out)
    if as_json:
        click.echo(json.dumps({"out": str(out), **report.record}, allow_nan=False))
        return
    if report.word:
        click.secho(report.word, bold=True)
    for sentence in report.sentences:
        click.echo(f"  {printable(sentence)}")
    click.echo(f"{printable(out)}, {len(report.html.encode()) / 1e6:.1f} MB: open it in a browser")
