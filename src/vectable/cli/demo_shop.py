"""`vectable demo --shop`: lists from who met what and when, with no ratings, tested beside popularity."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectable.cli.output import print_json, print_table, progress_console, report

if TYPE_CHECKING:
    import polars as pl

    from vectable.data.interactions.interactions_data import InteractionsData
    from vectable.interactions.learner import InteractionLearner
    from vectable.recommending.evaluation import Evaluation

CUSTOMER = 7
BASKET = ("Gravity (2013)", "Prisoners (2013)")
LIKE = "The Hobbit"


def shop_demo(out: Path, as_json: bool) -> None:
    """Who saw which film and when: two learners, measured on the last film of everybody, and what they answer.

    Args:
        out: folder for the map and both models.
    """
    from vectable import implicit_learner, next_item_learner
    from vectable.evaluating import evaluate

    data = _films()
    show = report if as_json else print
    show("Films that people tweeted about, without their ratings: who met what, and on which day, as in any shop.")
    show(f"{data}\n")
    learners: dict[str, InteractionLearner] = {}
    for name, make in (("who would take what", implicit_learner), ("what comes next", next_item_learner)):
        started = time.perf_counter()
        report(f"{name}:")
        learners[name] = make(data, progress=progress_console()).fit()
        show(f"{name}: fitted in {time.perf_counter() - started:.2f} seconds.")
    found = evaluate(learners, data, k=10)
    folders = {name: learn.save(out / name.replace(" ", "_")) for name, learn in learners.items()}
    taken, following = learners.values()
    taken.plot_map(show=30, path=str(out / "map.png"))
    answers = {
        "recommended": _with_reasons(taken),
        "basket": following.fold_in(list(BASKET)).recommend(5),
        "similar": taken.similar(_title(data, LIKE), 5),
    }
    if as_json:
        tables: dict[str, Any] = {name: frame.to_dicts() for name, frame in answers.items()}
        print_json({"models": {name: str(path) for name, path in folders.items()}, "test": _figures(found), **tables})
        return
    _print(found, answers, data)
    saved = folders["who would take what"]
    print(f"The map and both models are in {out}/. Ask them more:")
    print(f"  vectable recommend {saved} 42\n  vectable recommend {saved} --basket {BASKET[0]!r}")
    print(f"  vectable insight {saved}")


def _films() -> "InteractionsData":
    from vectable.data.interactions.interactions_data import InteractionsData
    from vectable.data.sets import catalogue

    films = catalogue.load("movietweetings")
    met = films.ratings.select("user", "item", "day")
    return InteractionsData.from_df(met, "user", "item", timestamp="day", items=films.items, title="title")


def _print(found: "Evaluation", answers: "dict[str, pl.DataFrame]", data: "InteractionsData") -> None:
    import polars as pl

    shown = pl.DataFrame(_figures(found))
    print_table(shown, f"The last film of each of {found.n_users:,} people, among all that they had not seen")
    gaps = found.differences(to="popularity").filter(pl.col("model") != "popularity")
    print_table(gaps, "How far from popularity, with an interval of 95 %")
    print_table(answers["recommended"], f"Ten films for customer {CUSTOMER}, and why")
    print_table(answers["basket"], f"What comes next after {' and '.join(BASKET)}")
    print_table(answers["similar"], f"Films met by the same people as {_title(data, LIKE)}")


def _figures(found: "Evaluation") -> list[dict[str, Any]]:
    names = ("model", "ndcg@10", "recall@10", "mrr@10", "coverage@10")
    return found.to_frame().sort("ndcg@10", descending=True).select(names).to_dicts()


def _with_reasons(learn: "InteractionLearner") -> "pl.DataFrame":
    """Ten films, each with the seen one that adds most to its score."""
    import polars as pl

    table: pl.DataFrame = learn.recommend(CUSTOMER, 10)
    whys = [learn.explain(CUSTOMER, item, 1) for item in table["item"]]
    reasons = [f"because of {why['title'][1]}" for why in whys]
    return table.select("title", "score", "count").with_columns(pl.Series("why", reasons))


def _title(data: "InteractionsData", start: str) -> str:
    """The whole title of the film that begins so."""
    names = data.item_names(range(1, data.n_items + 1))
    return str(next(name for name in names if name.startswith(start)))
