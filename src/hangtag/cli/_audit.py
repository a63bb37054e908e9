"""`hangtag data audit`: labels that are likely wrong, images that are there twice, images that are odd."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hangtag.cli._data import DATA, data_option
from hangtag.cli._progress import bars
from hangtag.core.errors import HangtagError
from hangtag.core.printable import as_text, printable

if TYPE_CHECKING:
    from hangtag.audit import Audit
    from hangtag.core.types import Dataset, Probabilities, Split
    from hangtag.predict.recogniser import Recogniser

OUT_OF_FOLD = "out-of-fold"
_SHOWN_SKIPPED = 3
_STEP = 1024  # pictures between two progress calls


@click.command(epilog="Example: hangtag data audit --labels out-of-fold")
@data_option(f"{DATA} [default: fashion-mnist]")
@click.option(
    "--split",
    type=click.Choice(["both", "training", "test"]),
    default="both",
    show_default=True,
    help="Which half to look at; both: across them too.",
)
@click.option(
    "--labels",
    metavar="HOW",
    help="Judge labels: out-of-fold trains quick networks for it, a model's name or folder uses that model.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the CSV and the galleries. [default: runs/audit/NAME]",
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    help="Pixels a side that labels are judged at, and of drawn. [default: the model's, or 28; photos 32]",
)
@click.option(
    "--colour/--grey",
    default=None,
    help="How labels are judged, and of drawn. [default: as the model takes them, or grey; photos in colour]",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def audit(
    data: str | None,
    split: str,
    labels: str | None,
    out: Path | None,
    size: int | None,
    colour: bool | None,
    as_json: bool,
) -> None:
    """Look for labels that are likely wrong, near-duplicates, and odd images.

    Photos are looked at in colour at 96 pixels a side. Writes audit.csv, a row for each finding, and pages of the
    worst, on which images are ticked and saved as a list. Nothing in the data is changed. A model judges only images
    it was not trained on: the test split, and its validation images.
    """
    from hangtag import data as datasets
    from hangtag import predict
    from hangtag.audit import examine
    from hangtag.audit.photos import look_at
    from hangtag.core.optional import require

    if labels:
        require("cleanlab", extra="report")  # reported before anything is read or trained
    model = predict.load(labels) if labels and labels != OUT_OF_FOLD else None
    if model is not None:  # it judges images as it takes them
        size = model.card.size if size is None else size
        colour = model.card.colour if colour is None else colour
    with bars() as progress:
        dataset = datasets.find(data, size=size or 28, colour=bool(colour), progress=progress)
        if dataset.photos and model is None:  # a photo is harder to judge than a garment on black
            dataset = datasets.find(data, size=size or 32, colour=colour is not False, progress=progress)
        halves = {"training": dataset.training, "test": dataset.test}
        if dataset.validation is not None and not dataset.test_is_validation:
            halves["validation"] = dataset.validation
        names = [name for name in halves if split in ("both", "training" if name == "validation" else name)]
        files = {name: dataset.photos[name]() for name in names} if dataset.photos else {}
        splits, photos = look_at(files, progress) if files else ({name: halves[name]() for name in names}, None)
        if dataset.summary is None:
            _warn(splits)
        else:
            _tell(str(dataset.summary()))
        folder = out or Path("runs") / "audit" / dataset.name
        probabilities: dict[str, Probabilities] = {}
        if labels:
            judged = {name: halves[name]() for name in names} if files else splits
            if model is None:
                probabilities = _out_of_fold(judged, folder, progress)
            else:
                probabilities = _by_model(labels, model, dataset, judged, progress)
            if files:
                probabilities = {
                    name: _aligned(found, judged[name], splits[name]) for name, found in probabilities.items()
                }
        folders = {name: half.root for name, half in files.items()}
        result = examine(dataset.name, splits, probabilities, progress, photos, folders)
        written = _write(result, folder, progress)
    if as_json:
        click.echo(json.dumps({**result.to_dict(), "files": [as_text(file) for file in written]}))
    else:
        from rich.console import Console

        Console(highlight=False).print(result)
        if not labels:
            _tell("labels were not judged: say --labels out-of-fold, or --labels MODEL")
    for file in written:
        _tell(f"written: {printable(file)}")
    if len(written) > 1:
        _tell("open a page, tick images and save the list: then delete or relabel the files in its first column")


def _out_of_fold(
    splits: dict[str, Split], folder: Path, progress: Callable[[str, int, int], None]
) -> dict[str, Probabilities]:
    """By half, predictions of quick networks that were not trained on what they judge."""
    from hangtag.data.split import joined
    from hangtag.out_of_fold import out_of_fold

    (name, first), *rest = splits.items()
    unseen = functools.reduce(joined, (other for _, other in rest)) if rest else None
    found, others = out_of_fold(first, folder, unseen=unseen, message=_tell, progress=progress)
    probabilities = {name: found}
    for name, other in rest:
        probabilities[name], others = others[: len(other)], others[len(other) :]
    return probabilities


def _aligned(probabilities: Probabilities, judged: Split, shown: Split) -> Probabilities:
    """Rows in the order of `shown`, NaN for an image that was not judged; halves are read apart, and a file may go."""
    import numpy as np

    rows = {source: row for row, source in enumerate(judged.sources)}
    found = np.full((len(shown), probabilities.shape[1]), np.nan, np.float32)
    for place, source in enumerate(shown.sources):
        if source in rows:
            found[place] = probabilities[rows[source]]
    return found


def _by_model(
    name: str, model: Recogniser, dataset: Dataset, splits: dict[str, Split], progress: Callable[[str, int, int], None]
) -> dict[str, Probabilities]:
    """By half, the answers of a model; rows of NaN for the pictures it has learnt from."""
    import numpy as np

    from hangtag.data.split import validation_of

    answers: dict[str, Probabilities] = {}
    for half, pictures in splits.items():
        if model.class_names != pictures.class_names:
            raise HangtagError("bundle_incompatible", f"{name} does not know the classes of this data: train one on it")
        unseen = np.ones(len(pictures), np.bool_)
        if half == "training":
            card = model.card
            if card.full or card.data.get("digest") != pictures.digest():
                continue  # learnt from all of them, or nobody knows from which
            if dataset.validation is not None:
                continue
            unseen = validation_of(pictures)
        elif model.card.full and (half == "validation" or dataset.test_is_validation):
            continue
        found = np.full((len(pictures), len(model.class_names)), np.nan, np.float32)
        rows = np.flatnonzero(unseen)
        for start in range(0, len(rows), _STEP):
            some = rows[start : start + _STEP]
            found[some] = model.predict_proba(pictures.images[some])
            progress(f"judging {half} labels", start + len(some), len(rows))
        answers[half] = found
    if not answers:
        raise HangtagError(
            "usage_split", f"{name} has learnt from the training pictures: say --split test, or --labels {OUT_OF_FOLD}"
        )
    return answers


def _write(result: Audit, folder: Path, progress: Callable[[str, int, int], None]) -> list[Path]:
    """The CSV and a page of each kind of finding; pages of an earlier audit that have no successor go."""
    from hangtag.audit import gallery
    from hangtag.core.errors import writing_to
    from hangtag.core.files import write_file

    files = [folder / "audit.csv"]
    write_file(files[0], result.to_csv().encode("utf-8", "backslashreplace"))
    for name, html in gallery.galleries(result, progress):
        files.append(folder / name)
        write_file(files[-1], html.encode())
    for page in gallery.PAGES:
        for old in (folder / f"{page.name}.html", folder / f"{page.name}.png"):  # images until 0.1
            if old not in files:
                with writing_to(old):
                    old.unlink(missing_ok=True)
    return files


def _warn(splits: dict[str, Split]) -> None:
    skipped = sorted({entry for split in splits.values() for entry in split.skipped})
    if skipped:
        _tell(f"{len(skipped):,} {'file' if len(skipped) == 1 else 'files'} left out:", "yellow")
        for entry in skipped[:_SHOWN_SKIPPED]:
            _tell(f"  {printable(entry)}", "yellow")
        if len(skipped) > _SHOWN_SKIPPED:
            _tell(f"  and {len(skipped) - _SHOWN_SKIPPED:,} more", "yellow")


def _tell(text: str, colour: str | None = None) -> None:
    click.secho(text, err=True, fg=colour, dim=colour is None)
