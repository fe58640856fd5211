"""Commands that ask a saved model: recommend, similar, explain, insight, predict, info, export-vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.output import (
    errors_frame,
    make_folder,
    print_frame,
    print_json,
    print_rows,
    print_table,
    write_rows,
)
from vectable.cli.photographs import (
    about_photographs,
    mistakes_on_photographs,
    predict_photographs,
    similar_photographs,
)
from vectable.cli.tables import about_table, predict_rows, what_matters
from vectable.errors import VectableError

if TYPE_CHECKING:
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

Model = Annotated[Path, typer.Argument(help="Folder of a saved model.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="File to write: .csv, .tsv, .parquet, .arrow or .json.")]
N = Annotated[int, typer.Option("-n", min=1, help="How many.")]
Photographs = Annotated[Path | None, typer.Option(help="Of a model of photographs: some to look at, a folder a class.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def recommend(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="Id of the user; leave out with --all.")] = None,
    n: N = 10,
    everybody: Annotated[bool, typer.Option("--all", help="For every user, into the file named with --out.")] = False,
    out: Out = None,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Also what the user rated already.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this item (id or title); may be given again.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Not this item; may be given again.")] = None,
    min_ratings: Annotated[int, typer.Option(help="Only items with at least so many ratings.")] = 0,
    optimism: Annotated[
        float, typer.Option(help="Rank by mean plus so many standard deviations (a model of --method bayes).")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """The best items for one user, or for all of them into a file.

    [bold]Example:[/bold] vectable recommend model 42 -n 5        vectable recommend model --all -o lists.parquet
    """
    if everybody == (user is not None):
        raise VectableError("Name one user, or give --all with --out FILE for every user.")
    if everybody and out is None:
        raise VectableError("Lists for every user are long: name a file with --out.")
    learn = _load(model)
    filters: dict[str, Any] = {
        "exclude_seen": not include_seen,
        "candidates": only or None,
        "exclude": exclude or None,
        "min_ratings": min_ratings,
    }
    if optimism:
        _doubting(learn, model)
        filters["optimism"] = optimism
    table = learn.recommend_many(n=n, **filters) if everybody else learn.recommend(user, n=n, **filters)
    if out is not None:
        write_rows(table, out)
    else:
        print_frame(table, as_json, f"For {user}")


def similar(
    model: Model,
    item: Annotated[str, typer.Argument(help="Id or title; of a model of photographs, a file.")],
    n: N = 10,
    photographs: Photographs = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Items, or photographs, that the model sees as alike.

    [bold]Example:[/bold] vectable similar model "The Hobbit"        vectable similar model ant.jpg --photographs ants
    """
    if _kind(model) == "images":
        return similar_photographs(model, Path(item), photographs, n, out, as_json)
    table = _load(model).similar(item, n=n)
    if out is not None:
        write_rows(table, out)
    else:
        print_frame(table, as_json, f"Like {item}")


def explain(
    model: Model,
    user: Annotated[str, typer.Argument(help="Id of the user.")],
    item: Annotated[str, typer.Argument(help="Id or title of the item.")],
    n: Annotated[int, typer.Option("-n", min=1, help="How many seen items to name.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Why a prediction is what it is: terms that add up to it, and the seen items behind them.

    [bold]Example:[/bold] vectable explain model 42 "The Hobbit"
    """
    print_frame(_load(model).explain(user, item, n), as_json, f"{item} for {user}")


def insight(
    model: Model,
    n: N = 5,
    top: Annotated[int, typer.Option(min=1, help="Look at so many most-rated items.")] = 1000,
    photographs: Photographs = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for pictures: map of the items, losses, learning rate.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What the model learned: best and worst by bias, both ends of the first factors, a map.

    Of a model of a table: the importance of its columns, its worst mistakes, what it confuses, whether its
    probabilities come true. Of a model of photographs: what it confuses, and its worst mistakes; as pictures its
    filters, what excites it, what decided, and likeness.

    [bold]Example:[/bold] vectable insight model --plots pictures
    """
    kind = _kind(model)
    if kind == "images":
        return mistakes_on_photographs(model, photographs, n, plots, as_json)
    if kind == "table":
        return what_matters(model, n, plots, as_json)
    learn = _load(model)
    biases = learn.biases(top)
    ends = factor_ends(learn, n, top)
    if plots is not None:
        draw_plots(learn, plots)
    if as_json:
        best, worst = biases.head(n).to_dicts(), biases.tail(n).reverse().to_dicts()
        print_json({"best": best, "worst": worst, "factors": ends})
        return
    print_table(biases.head(n), "Highest bias: rated above what taste explains")
    print_table(biases.tail(n).reverse(), "Lowest bias")
    print_ends(ends)


def predict(
    model: Model,
    files: Annotated[list[Path], typer.Argument(help="Table with the columns that predict; or photographs.")],
    out: Out = None,
    sep: Annotated[str | None, typer.Option(help="Separator of a text file.")] = None,
    encoding: Annotated[str, typer.Option(help="Of a text file.")] = "utf-8",
    interval: Annotated[
        float | None, typer.Option(help="Also low and high, between which a rating lies so likely, as .9 (bayes).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The rows of a file with the prediction of each; or the class of photographs.

    [bold]Example:[/bold] vectable predict model pairs.csv -o predicted.csv        vectable predict model ant.jpg
    """
    import polars as pl

    from vectable.data.io.files import read_table

    kind = _kind(model)
    if kind == "images":
        return predict_photographs(model, files, out, as_json)
    if len(files) > 1:
        raise VectableError(f"{str(model)!r} predicts the rows of one file, and {len(files)} are named.")
    (file,) = files
    if kind == "table":
        return predict_rows(model, read_table(file, sep=sep, encoding=encoding), out, as_json)
    learn = _load(model)
    table = read_table(file, sep=sep, encoding=encoding)
    predicted = table.with_columns(pl.Series("prediction", learn.predict(table)))
    if interval is not None:
        ends = _doubting(learn, model).predict_interval(table, interval)
        predicted = predicted.with_columns(pl.Series("low", ends[:, 0]), pl.Series("high", ends[:, 1]))
    print_rows(predicted, out, as_json)


def info(model: Model, as_json: AsJson = False) -> None:
    """What a saved model is: data, settings, errors, versions.

    [bold]Example:[/bold] vectable info model
    """
    from vectable.artifact import read_manifest

    manifest = read_manifest(model)
    if manifest["kind"] == "images":
        return about_photographs(model, manifest, as_json)
    if manifest["kind"] == "table":
        return about_table(model, manifest, as_json)
    learn = _load(model)
    measured = learn.validate()
    if as_json:
        about = {key: manifest[key] for key in ("kind", "saved", "format_version", "versions", "settings")}
        print_json({**about, "data": repr(learn.data), "errors": measured})
        return
    settings = manifest["settings"]
    config = ", ".join(f"{key} {value}" for key, value in settings["config"].items())
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    print(f"{settings['model']} x {settings.get('n_models', 1)} ({config})")
    print(f"{learn.data!r}")
    print(f"split {learn.data.fingerprint}")
    if manifest["kind"] == "posterior":
        print_table(_doubting(learn, model).convergence(), "Have the draws converged? (R-hat near 1)")
    else:
        print(
            f"preset {settings['preset']}, wd {settings['wd']}, seed {settings['seed']}, "
            f"{settings['epochs_done']} epochs"
        )
    print(f"saved {manifest['saved']} with {versions}, format {manifest['format_version']}\n")
    print_table(errors_frame(measured), "Error on the held-out ratings")


def export_vectors(
    model: Model,
    out: Annotated[
        Path, typer.Option("--out", "-o", help=".parquet, .arrow, .csv; .tsv for the TensorBoard projector.")
    ],
    users: Annotated[bool, typer.Option("--users", help="The users' vectors instead of the items'.")] = False,
) -> None:
    """Write id, name, bias and factors of every item for other programs.

    [bold]Example:[/bold] vectable export-vectors model -o items.parquet
    """
    for path in _load(model).export_vectors(out, is_item=not users):
        print(path)


def factor_ends(learn: "CollabLearner | BayesLearner", n: int, top: int) -> list[dict[str, Any]]:
    """Both ends of the first three principal factors, by name, with the variance that each explains."""
    table, shares = learn.components(min(3, top, learn.data.n_items, learn.weight([1]).shape[1]), top)
    name = "title" if "title" in table.columns else learn.data.columns.item
    ends = []
    for at, share in enumerate(shares):
        ordered = table.sort(f"factor {at}")[name].to_list()
        ends.append({"factor": at, "explains": float(share), "low": ordered[:n], "high": ordered[::-1][:n]})
    return ends


def print_ends(ends: list[dict[str, Any]]) -> None:
    """The ends of the factors as tables."""
    import polars as pl

    for one in ends:
        title = f"Factor {one['factor']}: {one['explains']:.1%} of the variance"
        print_table(pl.DataFrame({"one end": one["low"], "other end": one["high"]}), title)


def draw_plots(learn: "CollabLearner | BayesLearner", folder: Path) -> list[Path]:
    """The map of the most-rated items, and learning rate and losses, or the coverage of intervals, as PNG files."""
    from vectable.ratings.bayes import BayesLearner

    if isinstance(learn, BayesLearner):
        paths = [make_folder(folder) / name for name in ("coverage.png", "map.png")]
        learn.coverage().plot(path=str(paths[0]))
        learn.map(path=str(paths[1]))
        return paths
    paths = [make_folder(folder) / name for name in ("learning_rate.png", "losses.png", "map.png")]
    learn.recorder.plot_lr(show_moms=True, path=str(paths[0]))
    learn.recorder.plot_losses(path=str(paths[1]))
    learn.map(path=str(paths[2]))
    return paths


def _kind(model: Path) -> str:
    """Which kind of model a folder holds."""
    from vectable.artifact import read_manifest

    return str(read_manifest(model)["kind"])


def _load(model: Path) -> "CollabLearner | BayesLearner":
    from vectable.loading import load_learner
    from vectable.ratings.rating_answers import RatingAnswers

    learn: Any = load_learner(model, progress=False)
    if not isinstance(learn, RatingAnswers):
        raise VectableError(f"{str(model)!r} is not a model of ratings.")
    learn.data.kind = "polars"
    return learn  # type: ignore[return-value]


def _doubting(learn: "CollabLearner | BayesLearner", model: Path) -> "BayesLearner":
    """The model, if it is one that knows how sure it is."""
    from vectable.ratings.bayes import BayesLearner

    if not isinstance(learn, BayesLearner):
        raise VectableError(f"{str(model)!r} does not know how sure it is; train it with --method bayes.")
    return learn
