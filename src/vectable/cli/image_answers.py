"""What a model of images answers: the class of images, those like one, and its mistakes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.image_report import draw_inside, draw_training, print_measured, report_verdict
from vectable.cli.models import open_images, settings_of
from vectable.cli.output import print_json, print_rows, print_table, report
from vectable.errors import DataError, VectableError

if TYPE_CHECKING:
    import polars as pl

    from vectable.images.vision import VisionLearner

ImagesOption = Annotated[
    Path | None, typer.Option(help="For a model of images: a folder of images to look at, with a folder per class.")
]
TOGETHER = 256  # images decoded before they are predicted


def predict_images(model: Path, paths: list[Path], out: Path | None, as_json: bool) -> None:
    """The class and the probabilities of each image; files that are none are reported, and the exit code says so."""
    learn = open_images(model)
    found, problems = _predicted(learn, [one for path in paths for one in _files(path)])
    if len(found) == 0:
        raise DataError(" ".join(problems))
    for problem in problems:
        report(f"vectable: {problem}")
    print_rows(found, out, as_json)
    if problems:
        raise typer.Exit(1)


def mistakes_on_images(model: Path, photographs: Path | None, n: int, plots: Path | None, as_json: bool) -> None:
    """Confusion matrix and worst mistakes on a folder of images, a folder per class."""
    from vectable.images.beside_guess import measure

    learn = _open_with(model, photographs)
    measured, worst = measure(learn), learn.top_losses(n)
    if plots is not None:
        draw_training(learn, plots)
        draw_inside(learn, plots)
    if as_json:
        print_json({**measured, "confusion": learn.confusion_matrix().to_dicts(), "worst": worst.to_dicts()})
    else:
        print_measured(learn, measured)
        print_table(worst, "The largest losses")
    report_verdict(measured)


def similar_images(model: Path, image: Path, photographs: Path | None, n: int) -> "pl.DataFrame":
    """The images of a folder, a folder per class, that the net sees as most like one."""
    return _open_with(model, photographs).similar_images(image, n).table.drop("set", "row")


def _open_with(model: Path, photographs: Path | None) -> "VisionLearner":
    """A model with images to look at."""
    from vectable import ImageData

    if photographs is None:
        raise VectableError(
            "The images are not in the saved folder: name some to look at with --photographs FOLDER, which has a "
            "folder per class."
        )
    recipe = settings_of(model)["recipe"]
    return open_images(model, data=ImageData.for_measuring(photographs, recipe["classes"], recipe["size"]))


def _files(path: Path) -> list[Path]:
    """A file as it is; of a folder, the images below it."""
    from vectable.data.images.image_files import SUFFIXES

    if not path.is_dir():
        return [path]
    found = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in SUFFIXES]
    if not found:
        raise DataError(f"There is no picture in the folder {str(path)!r}.")
    return found


def _predicted(learn: "VisionLearner", paths: list[Path]) -> "tuple[pl.DataFrame, list[str]]":
    """A row for each image that can be read, and a sentence for each that cannot."""
    import polars as pl

    from vectable.data.images.image_decoding import decode_image

    columns = ["photograph", "prediction", *(f"probability of {name}" for name in learn.classes)]
    rows: list[tuple[Any, ...]] = []
    problems = []
    for first in range(0, len(paths), TOGETHER):
        good, decoded = [], []
        for path in paths[first : first + TOGETHER]:
            try:
                decoded.append(decode_image(path, learn.recipe.size))
                good.append(path)
            except DataError as problem:
                problems.append(str(problem))
        for path, one in zip(good, learn.predict(decoded), strict=True):
            rows.append((str(path), one.label, *one.probabilities.values()))
    types = [pl.String, pl.String, *[pl.Float64] * len(learn.classes)]
    return pl.DataFrame(rows, schema=dict(zip(columns, types, strict=True)), orient="row"), problems
