"""`vectable predict`: the rows of a file with the prediction of each, or the classes of images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vectable.cli.image_answers import predict_images
from vectable.cli.models import kind_of, open_posterior, open_ratings, open_table
from vectable.cli.options import AsJson, Model, OutFile, Raw
from vectable.cli.output import print_rows
from vectable.errors import VectableError

if TYPE_CHECKING:
    import polars as pl


def predict(
    model: Model,
    files: Annotated[list[Path], typer.Argument(help="Table with the columns that predict; or images.")],
    out: OutFile = None,
    sep: Annotated[str | None, typer.Option(help="Separator of a text file; auto-detected by default.")] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a text file.")] = "utf-8",
    interval: Annotated[
        float | None,
        typer.Option(help="Add low and high, which hold a rating with this probability, e.g. 0.9 (--method bayes)."),
    ] = None,
    raw: Raw = False,
    as_json: AsJson = False,
) -> None:
    """The rows of a file with the prediction of each; or the class of images.

    [bold]Example:[/bold] vectable predict model pairs.csv -o predicted.csv        vectable predict model ant.jpg
    """
    from vectable.data.io.files import read_table
    from vectable.scoring import score_frame

    kind = kind_of(model)
    if kind == "images":
        return predict_images(model, files, out, as_json)
    if len(files) > 1:
        raise VectableError(f"{str(model)!r} predicts the rows of one file, and {len(files)} are named.")
    learn = open_table(model) if kind == "table" else None
    decimal = "." if learn is None else learn.data.encoder.decimal
    rows = read_table(files[0], sep=sep, encoding=encoding, decimal=decimal)
    predicted = _of_ratings(model, rows, interval, raw) if learn is None else score_frame(learn, rows)
    print_rows(predicted, out, as_json)


def _of_ratings(model: Path, rows: "pl.DataFrame", interval: float | None, raw: bool) -> "pl.DataFrame":
    """Pairs of user and item with the predicted rating, and with its interval where one is asked for."""
    import polars as pl

    if interval is None:
        return rows.with_columns(pl.Series("prediction", open_ratings(model).predict(rows, raw=raw)))
    learn = open_posterior(model)
    predicted, ends = learn.predict(rows, raw=raw), learn.predict_interval(rows, interval)
    columns = {"prediction": predicted, "low": ends[:, 0], "high": ends[:, 1]}
    return rows.with_columns(pl.Series(name, values) for name, values in columns.items())
