"""`vectable score`: a table of any size with the predictions of a model, in this process or on Spark."""

from typing import Annotated

import typer

from vectable.cli.options import Model
from vectable.cli.output import report
from vectable.errors import require


def score(
    model: Model,
    source: Annotated[
        str,
        typer.Argument(
            help="Parquet files: a folder, or a pattern in quotes; with --spark any address that Spark reads."
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", help="Folder of Parquet files to write; must not exist.")],
    spark: Annotated[
        bool, typer.Option("--spark", help="Let Spark read, score and write; spark-submit says where.")
    ] = False,
    master: Annotated[
        str | None, typer.Option(help="Where Spark works if nothing else says so, e.g. 'local[4]'.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="NAME=OTHER: the model's column NAME is called OTHER in the table; may be repeated."),
    ] = None,
    keep: Annotated[str | None, typer.Option(help="Columns to keep, separated by commas; by default all.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Items of a list, for models of interactions.")] = 10,
) -> None:
    """Score Parquet files of any size with a saved model, best a serving folder (vectable slim).

    [bold]Example:[/bold] vectable score movies 'pairs/*.parquet' -o scored --spark --master 'local[4]'
    """
    columns = dict(_pair(one) for one in column or ())
    kept = None if keep is None else [name.strip() for name in keep.split(",")]
    if spark:
        from vectable.spark import score as score_on_spark
        from vectable.spark import session

        started = session(master)
        scored = score_on_spark(started.read.parquet(source), model, columns=columns, keep=kept, n=n)
        scored.write.mode("error").parquet(out)
    else:
        require(master is None, "--master belongs to --spark.")
        from vectable.scoring import score_files

        score_files(model, source, out, columns=columns, keep=kept, n=n)
    report(f"Scored {source} into {out}.")


def _pair(text: str) -> tuple[str, str]:
    name, sign, other = text.partition("=")
    require(bool(name and sign and other), f"--column is NAME=OTHER; got {text!r}.")
    return name, other
