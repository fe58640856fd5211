"""`vectable insight`: what a model learned, in tables and plots."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.image_answers import ImagesOption, mistakes_on_images
from vectable.cli.models import kind_of, knows_interactions, open_interactions, open_ratings
from vectable.cli.options import AsJson, Model, N, Plots
from vectable.cli.output import make_folder, print_json, print_table, report
from vectable.cli.table_insight import insight_of_table

if TYPE_CHECKING:
    import polars as pl

    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner


def insight(
    model: Model,
    n: N = 5,
    top: Annotated[int, typer.Option(min=1, help="Look at this many items, those with most ratings.")] = 1000,
    photographs: ImagesOption = None,
    plots: Plots = None,
    as_json: AsJson = False,
) -> None:
    """What the model learned: best and worst by bias, both ends of the first factors, a map.

    For a model of a table: the importance of its columns, its worst mistakes, which classes it confuses, and whether
    its probabilities are calibrated. For a model of images: which classes it confuses, and its worst mistakes; as plots
    its filters, what activates it, what decided, and similar images.

    [bold]Example:[/bold] vectable insight model --plots pictures
    """
    kind = kind_of(model)
    if kind == "images":
        return mistakes_on_images(model, photographs, n, plots, as_json)
    if kind == "table":
        return insight_of_table(model, n, plots, as_json)
    if knows_interactions(model):
        return insight_of_interactions(model, n, top, plots, as_json)
    return insight_of_ratings(model, n, top, plots, as_json)


def insight_of_interactions(model: Path, n: int, top: int, plots: Path | None, as_json: bool) -> None:
    """The most popular items with what each is most like, what was tried, and a map."""
    import numpy as np

    learn = open_interactions(model)
    counts = learn.data.item_counts
    codes = (np.argsort(-counts[1:], kind="stable")[:n] + 1).astype(np.int32)
    popular = learn.data.item_frame(codes, count=counts[codes])
    name = "title" if "title" in popular.columns else learn.data.columns.item
    alike = [learn.similar(item, 3)[name].to_list() for item in popular[learn.data.columns.item]]
    drawn = []
    if plots is not None:
        drawn = [make_folder(plots) / "map.png"]
        learn.plot_map(top=top, path=str(drawn[0]))
    if as_json:
        rows = [{**row, "like": like} for row, like in zip(popular.to_dicts(), alike, strict=True)]
        print_json({"popular": rows, "tried": learn.tried.to_dicts(), "plots": [str(path) for path in drawn]})
        return
    shown = popular.with_columns(texts_column("most like it", [", ".join(map(str, like)) for like in alike]))
    print_table(shown, "Most popular, and what is like it")
    print_table(learn.tried, "What was tried, on the validation part")
    for path in drawn:
        report(f"drawn: {path}")


def insight_of_ratings(model: Path, n: int, top: int, plots: Path | None, as_json: bool) -> None:
    """Items by bias, and both ends of the first factors."""
    learn = open_ratings(model)
    biases = learn.biases(top)
    ends = factor_ends(learn, n, top)
    drawn = [] if plots is None else draw_plots(learn, plots)
    if as_json:
        best, worst = biases.head(n).to_dicts(), biases.tail(n).reverse().to_dicts()
        print_json({"best": best, "worst": worst, "factors": ends, "plots": [str(path) for path in drawn]})
        return
    print_table(biases.head(n), "Highest bias: rated above what taste explains")
    print_table(biases.tail(n).reverse(), "Lowest bias")
    print_ends(ends)
    for path in drawn:
        report(f"drawn: {path}")


def texts_column(name: str, values: list[str]) -> "pl.Series":
    """A column of texts."""
    import polars as pl

    return pl.Series(name, values, dtype=pl.String)


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
    from vectable import BayesLearner

    if isinstance(learn, BayesLearner):
        paths = [make_folder(folder) / name for name in ("coverage.png", "map.png")]
        learn.coverage().plot(path=str(paths[0]))
        learn.plot_map(path=str(paths[1]))
        return paths
    paths = [make_folder(folder) / name for name in ("learning_rate.png", "losses.png", "map.png")]
    learn.recorder.plot_lr(show_moms=True, path=str(paths[0]))
    learn.recorder.plot_losses(path=str(paths[1]))
    learn.plot_map(path=str(paths[2]))
    return paths
