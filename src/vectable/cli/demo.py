"""`vectable demo`: the main job, from a file of ratings to recommendations with reasons, shown as it happens."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vectable.cli.demo_shop import shop_demo
from vectable.cli.insight import draw_plots, factor_ends, print_ends
from vectable.cli.options import AsJson
from vectable.cli.output import make_folder, print_json, print_table, progress_console, report
from vectable.cli.ratings_report import errors_frame

if TYPE_CHECKING:
    import polars as pl

    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.ratings.collab import CollabLearner

READER = 1200
LIKED = "The Hobbit"
USUAL_RATE = 5e-3


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the plots and the model.")] = Path("demo"),
    shop: Annotated[
        bool, typer.Option("--shop", help="Lists from who met what and when, without ratings, beside popularity.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Books recommended and explained: trains on the shipped goodbooks sample and shows what it learned.

    With [bold]--shop[/bold] the data are films without ratings: who met what, and when, as in any shop.

    [bold]Example:[/bold] vectable demo        vectable demo --shop
    """
    from vectable.artifact import check_target
    from vectable.data.sets import catalogue

    folder = make_folder(out)
    if shop:
        shop_demo(folder, as_json)
        return
    check_target(folder / "model")
    books = catalogue.load("goodbooks")
    data = books.to_data(valid_pct=0.1, seed=42)
    show = report if as_json else print
    show(f"{books}\n{data}\n")
    learn = _train(data, out, show)
    if as_json:
        measured = learn.validate()
    else:
        _print_learned(learn)
    draw_plots(learn, out)
    saved = learn.save(out / "model")
    if as_json:
        recommended = _with_reasons(learn, READER).to_dicts()
        print_json({"model": str(saved), "errors": measured, "reader": READER, "recommended": recommended})
        return
    print(f"Plots and the model are in {out}/. Ask it more:")
    print(f"  vectable recommend {saved} 7\n  vectable explain {saved} 7 {_liked(learn)!r}\n  vectable insight {saved}")


def _train(data: "RatingsData", out: Path, show: Callable[[str], None]) -> "CollabLearner":
    """Find a learning rate, draw the curve, and train."""
    from vectable import collab_learner

    learn = collab_learner(data, n_factors=40, y_range=(0, 5.5), wd=0.1, progress=progress_console())
    found = learn.lr_find()
    found.plot(path=str(out / "lr_find.png"))
    show(f"Learning-rate finder: {found}\n")
    started = time.perf_counter()
    learn.fit_one_cycle(5, found.rate or USUAL_RATE)
    show(f"\nTrained in {time.perf_counter() - started:.2f} seconds.\n")
    return learn


def _print_learned(learn: "CollabLearner") -> None:
    """Errors, the best and the worst books, both ends of the factors, books like one, and a list with reasons."""
    print_table(errors_frame(learn.validate()), "Error on 10 % of the ratings, held out")
    biases = learn.biases()
    print_table(biases.head(5), "Best books by bias, compared with their plain mean rating")
    print_table(biases.tail(5).reverse(), "Worst books by bias")
    print_ends(factor_ends(learn, n=5, top=1000))
    title = _liked(learn)
    print_table(learn.similar(title, n=5), f"Books like {title}")
    print_table(_with_reasons(learn, READER), f"Ten books for reader {READER}, and why")


def _liked(learn: "CollabLearner") -> str:
    """The whole title of the book that the demonstration asks about."""
    names = learn.data.item_names(range(1, learn.data.n_items + 1))
    return str(next(name for name in names if name.startswith(LIKED)))


def _with_reasons(learn: "CollabLearner", user: int) -> "pl.DataFrame":
    """Ten recommendations, each with the book most like it among those that the reader liked."""
    import polars as pl

    table: pl.DataFrame = learn.recommend(user, n=10)
    liked = learn.closest_liked(user, table[learn.data.columns.item].to_list())
    reasons = ["liked by most" if one is None else f"like {one[0]}, which you gave {one[1]:g}" for one in liked]
    return table.select("title", "prediction").with_columns(pl.Series("why", reasons))
