"""`vectable train ratings` and `vectable lr-find`: from a file to a saved model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.output import errors_frame, kept_in, print_json, print_table, progress_console
from vectable.errors import DataError, VectableError, closest, did_you_mean, require

if TYPE_CHECKING:
    from rich.console import Console

    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.data.sets.catalogue import RatingsSet
    from vectable.data.sets.table_sets import TableSet
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

app = typer.Typer(no_args_is_help=True)

# The options that only one way of training knows.
METHODS = {
    "gradient": (
        "y_range",
        "wd",
        "preset",
        "nn",
        "layers",
        "n_models",
        "epochs",
        "lr",
        "engine",
        "batch_size",
        "checkpoint",
    ),
    "bayes": ("draws", "burn_in", "features", "no_history", "user_day", "likelihood", "chains"),
}

File = Annotated[str, typer.Argument(help="CSV, TSV, Parquet or Arrow file; or the name of a data set, as goodbooks.")]
User = Annotated[str | None, typer.Option(help="Column with the user; by default the first.")]
Item = Annotated[str | None, typer.Option(help="Column with the item; by default the second.")]
Rating = Annotated[str | None, typer.Option(help="Column with the rating; by default the third.")]
Title = Annotated[str | None, typer.Option(help="Column with the item's name to show, here or in --items.")]
Timestamp = Annotated[str | None, typer.Option(help="Column with the time of the rating.")]
Items = Annotated[Path | None, typer.Option(help="File with more about the items, an id column first.")]
Users = Annotated[Path | None, typer.Option(help="File with more about the users, an id column first.")]
Sep = Annotated[str | None, typer.Option(help="Separator, as ',' or '::' or '\\t'; by default found by looking.")]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The first line is data; name the columns with --columns.")]
Columns = Annotated[str | None, typer.Option(help="Names of the columns, separated by commas.")]
Encoding = Annotated[str, typer.Option(help="Of a text file: utf-8, latin-1, cp1252, ...")]
Duplicates = Annotated[str, typer.Option(help="Pairs rated more than once: keep, last, mean or error.")]
MissingIds = Annotated[str, typer.Option(help="Rows without user or item: error or drop.")]
Split = Annotated[str, typer.Option(help="What is held out to measure: random rows, or time: the latest.")]
ValidPct = Annotated[float, typer.Option(help="Share of the rows held out, 0 to 1.")]
Seed = Annotated[int, typer.Option(help="Of the split, the start and the batches.")]
BatchSize = Annotated[int, typer.Option(help="Ratings a step.")]
Factors = Annotated[int, typer.Option(help="Width of the vectors.")]
AnyFactors = Annotated[int | None, typer.Option(help="Width of the vectors; 40, and 16 with --method bayes.")]
YRange = Annotated[str, typer.Option(help="LOW,HIGH of the prediction, a little outside the scale; auto; or none.")]
Wd = Annotated[float, typer.Option(help="Weight decay.")]
Preset = Annotated[str, typer.Option(help="modern or lesson.")]
Kept = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Folder to keep the training in while it runs; after a crash the same command goes on from there.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.callback()
def train() -> None:
    """Train a model on a file and save it."""


@app.command("ratings")
def ratings(
    context: typer.Context,
    file: File,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to save the model in.")] = Path("model"),
    user: User = None,
    item: Item = None,
    rating: Rating = None,
    title: Title = None,
    timestamp: Timestamp = None,
    items: Items = None,
    users: Users = None,
    sep: Sep = None,
    no_header: NoHeader = False,
    columns: Columns = None,
    encoding: Encoding = "utf-8",
    duplicates: Duplicates = "keep",
    missing_ids: MissingIds = "error",
    split: Split = "random",
    valid_pct: ValidPct = 0.1,
    seed: Seed = 42,
    batch_size: BatchSize = 64,
    method: Annotated[
        str, typer.Option(help="gradient: one best model; bayes: draws from the posterior.")
    ] = "gradient",
    factors: AnyFactors = None,
    y_range: YRange = "auto",
    wd: Wd = 0.1,
    preset: Preset = "modern",
    nn: Annotated[bool, typer.Option("--nn", help="A multi-layer net instead of the dot product.")] = False,
    layers: Annotated[str, typer.Option(help="Widths of the net's hidden layers.")] = "100",
    n_models: Annotated[int, typer.Option(help="Train so many and take their mean.")] = 1,
    epochs: Annotated[int, typer.Option(help="Times through the data.")] = 5,
    lr: Annotated[float, typer.Option(help="Highest learning rate of the cycle.")] = 5e-3,
    engine: Annotated[str, typer.Option(help="auto, compiled or torch.")] = "auto",
    checkpoint: Kept = None,
    draws: Annotated[int, typer.Option(help="bayes: draws that count.")] = 200,
    burn_in: Annotated[int, typer.Option(help="bayes: draws before them, thrown away.")] = 20,
    features: Annotated[
        str, typer.Option(help="bayes: columns of --users and --items, separated by commas; auto; none.")
    ] = "auto",
    no_history: Annotated[
        bool, typer.Option("--no-history", help="bayes: who rated what is no feature of users and items.")
    ] = False,
    user_day: Annotated[
        bool, typer.Option("--user-day", help="bayes: an offset for each user and day; needs --timestamp.")
    ] = False,
    likelihood: Annotated[str, typer.Option(help="bayes: normal or ordinal.")] = "normal",
    chains: Annotated[int, typer.Option(help="bayes: chains, from different starts.")] = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train recommendations on a table of ratings: a row a rating, with user, item and a number.

    [bold]Example:[/bold] vectable train ratings ratings.csv --user userId --item movieId --rating rating -o movies
    """
    from vectable.artifact import check_target

    require(method in METHODS, f"--method is {method!r}; it is 'gradient' or 'bayes'.")
    _refuse_others(context, method)
    check_target(out)
    data = read_ratings(
        file,
        user=user,
        item=item,
        rating=rating,
        title=title,
        timestamp=timestamp,
        items=items,
        users=users,
        sep=sep,
        no_header=no_header,
        columns=columns,
        encoding=encoding,
        duplicates=duplicates,
        missing_ids=missing_ids,
        split=split,
        valid_pct=valid_pct,
        seed=seed,
        batch_size=batch_size,
    )
    console = progress_console(quiet)
    console.print(f"{data!r}", highlight=False)
    if method == "bayes":
        named = {"auto": "auto", "none": None}.get(features, [name.strip() for name in features.split(",")])
        draw(
            data, out, console, as_json, n_factors=16 if factors is None else factors, n_draws=draws,
            burn_in=burn_in, features=named, history=not no_history, user_day=user_day, likelihood=likelihood,
            n_chains=chains, seed=seed,
        )  # fmt: skip
        return
    learn = _learner(
        data, 40 if factors is None else factors, y_range, wd, preset, seed, quiet, use_nn=nn,
        layers=numbers(layers, int, "--layers"), n_models=n_models, engine=engine,
    )  # fmt: skip
    learn.fit_one_cycle(epochs, lr, **kept_in(checkpoint))
    _save_and_tell(learn, learn.recorder.interrupted, out, as_json)


def draw(data: "RatingsData", out: Path, console: "Console", as_json: bool, **options: Any) -> None:
    """`train ratings --method bayes`: draws from the posterior, saved."""
    from vectable.ratings.bayes import bayes_collab

    learn = bayes_collab(data, progress=console, **options).fit()
    _save_and_tell(learn, learn.interrupted, out, as_json)


def _save_and_tell(learn: "CollabLearner | BayesLearner", interrupted: bool, out: Path, as_json: bool) -> None:
    saved = learn.save(out)
    measured = learn.validate()
    if as_json:
        print_json({"model": str(saved), "interrupted": interrupted, "split": learn.data.fingerprint, **measured})
    else:
        print_table(errors_frame(measured), f"Error on the held-out ratings (split {learn.data.fingerprint})")
        print(f"Saved to {saved}. Next: vectable recommend {saved} USER")
    if interrupted:
        raise typer.Exit(130)


def _refuse_others(context: typer.Context, method: str) -> None:
    """Say of an option that belongs to the other method that it does, instead of leaving it unheard."""
    for other, names in METHODS.items():
        for name in names:
            source = context.get_parameter_source(name)
            if other != method and source is not None and source.name == "COMMANDLINE":
                option = "--" + name.replace("_", "-")
                raise VectableError(f"{option} belongs to --method {other}, and this is --method {method}.")


def lr_find(
    file: File,
    user: User = None,
    item: Item = None,
    rating: Rating = None,
    sep: Sep = None,
    no_header: NoHeader = False,
    columns: Columns = None,
    encoding: Encoding = "utf-8",
    seed: Seed = 42,
    batch_size: Annotated[int | None, typer.Option(help="Rows a step; by default 64 ratings, 256 rows.")] = None,
    factors: Factors = 40,
    y_range: YRange = "auto",
    wd: Wd = 0.1,
    preset: Preset = "modern",
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="Of a table that is no ratings: the column to predict.")
    ] = None,
    layers: Annotated[str, typer.Option(help="Of a net for such a table: widths of the hidden layers.")] = "200,100",
    plot: Annotated[
        Path | None, typer.Option(help="Picture of loss against learning rate, .png, .svg or .pdf.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Suggest a learning rate for a table of ratings, or with --target for any other.

    [bold]Example:[/bold] vectable lr-find ratings.csv --plot lr.png        vectable lr-find people.csv --target salary
    """
    from vectable.cli.tables import find_rate, set_of_table

    if target or set_of_table(file):
        read = {
            "sep": sep,
            "has_header": False if no_header else None,
            "columns": names_in(columns),
            "encoding": encoding,
        }
        found = find_rate(file, target, read, layers, preset, seed, batch_size or 256)
    else:
        data = read_ratings(file, user, item, rating, sep=sep, no_header=no_header, columns=columns, encoding=encoding,
                            seed=seed, batch_size=batch_size or 64)  # fmt: skip
        found = _learner(data, factors, y_range, wd, preset, seed, quiet=False).lr_find()
    if plot is not None:
        found.plot(path=str(plot))
    if as_json:
        print_json(found.suggestions)
        return
    for name, value in found.suggestions.items():
        rates = value if isinstance(value, tuple) else (value,)
        print(f"{name:<18}{'  '.join(f'{rate:.2e}' for rate in rates)}")


def read_ratings(
    file: str,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    title: str | None = None,
    timestamp: str | None = None,
    items: Path | None = None,
    users: Path | None = None,
    sep: str | None = None,
    no_header: bool = False,
    columns: str | None = None,
    encoding: str = "utf-8",
    duplicates: str = "keep",
    missing_ids: str = "error",
    split: str = "random",
    valid_pct: float = 0.1,
    seed: int = 42,
    batch_size: int = 64,
) -> "RatingsData":
    """The ratings that the options name: a file, or a data set of the catalogue."""
    from vectable.data.io.files import read_table
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.data.sets import catalogue

    how: dict[str, Any] = {
        "duplicates": duplicates,
        "missing_ids": missing_ids,
        "split": split,
        "valid_pct": valid_pct,
    }
    how |= {"seed": seed, "batch_size": batch_size}
    chosen = named_set(file)
    if isinstance(chosen, catalogue.RatingsSet):
        return chosen.to_data(**how)
    if chosen is not None:
        raise VectableError(f"{file!r} is a table of mixed columns, and no ratings: vectable train table {file}.")
    how |= {"user": user, "item": item, "rating": rating, "title": title, "timestamp": timestamp}
    sides = {"items": items, "users": users}
    how |= {name: read_table(path, encoding=encoding) for name, path in sides.items() if path is not None}
    return RatingsData.from_file(
        file, sep=sep, has_header=False if no_header else None, columns=names_in(columns), encoding=encoding, **how
    )


def named_set(file: str) -> "RatingsSet | TableSet | None":
    """The data set of the catalogue that is meant; None for a file.

    Raises:
        DataError: there is no such file, and a data set is called almost so.
    """
    from vectable.data.sets import catalogue

    if Path(file).is_file():
        return None
    if file in catalogue.names():
        chosen: RatingsSet | TableSet = catalogue.load(file)
        return chosen
    if closest(file, catalogue.names()):
        raise DataError(f"There is no file and no data set {file!r}.{did_you_mean(file, catalogue.names())}")
    return None


def _learner(
    data: "RatingsData",
    factors: int,
    y_range: str,
    wd: float,
    preset: str,
    seed: int,
    quiet: bool,
    **more: Any,
) -> "CollabLearner":
    from vectable.ratings.collab import collab_learner

    limits: Any = {"auto": "auto", "none": None}.get(y_range, y_range)
    if limits not in ("auto", None):
        limits = tuple(numbers(y_range, float, "--y-range"))
    return collab_learner(
        data,
        n_factors=factors,
        y_range=limits,
        wd=wd,
        preset=preset,
        seed=seed,
        progress=progress_console(quiet),
        **more,
    )


def names_in(text: str | None) -> list[str] | None:
    """Names between commas; None where nothing was said."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def numbers(text: str, kind: type, option: str) -> list[Any]:
    """The numbers that an option gives, separated by commas."""
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError as problem:
        raise VectableError(f"{option} is {text!r}; give numbers separated by commas.") from problem
