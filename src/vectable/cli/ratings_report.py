"""What commands report of a model of ratings: columns, errors, ranking figures, and whether it beats its baselines."""

import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.output import print_table, report
from vectable.errors import VectableError

if TYPE_CHECKING:
    import polars as pl

    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

RankingOption = Annotated[
    bool | None,
    typer.Option(
        "--ranking/--no-ranking",
        help="Measure NDCG, recall and hit rate of the lists too; by default where that takes seconds.",
    ),
]
QUICKLY_RANKED = 200_000_000  # scores (users times items) that take seconds
SCORERS = {"model": "this model", "popularity": "popularity", "bias": "item biases"}


def columns_taken(data: "RatingsData") -> str:
    """A line that names the column of each thing."""
    named = {name: column for name, column in vars(data.columns).items() if isinstance(column, str)}
    return "Columns: " + ", ".join(f"{name} from {column!r}" for name, column in named.items()) + "."


def measure(learn: "CollabLearner | BayesLearner", ranking: bool | None) -> dict[str, Any]:
    """Errors on the held-out ratings, the baselines' among them, and how good the lists are.

    Args:
        ranking: whether to measure the lists; None for: where it takes seconds.
    """
    from vectable import BayesLearner
    from vectable.data.io.frames import to_polars

    data = learn.data
    measured = {"split": data.fingerprint, **errors_of(learn)}
    measured["beats_baselines"] = None if not len(data.valid_ratings) else not_better(measured) is None
    small = data.n_users * data.n_items <= QUICKLY_RANKED
    if len(data.valid_ratings) and (small if ranking is None else ranking):
        try:
            measured["ranking"] = found = learn.ranking()
            if learn.recommender.ranker is None and found["model"]["ndcg"] < found["popularity"]["ndcg"]:
                report(
                    "note: popularity makes better lists than the predicted rating; --lists interactions ranks by "
                    "who would take what."
                )
        except VectableError as problem:
            report(f"note: {problem}")
    if isinstance(learn, BayesLearner):
        measured["convergence"] = to_polars(learn.convergence())[0].to_dicts()
    return measured


def errors_of(learn: "CollabLearner | BayesLearner") -> dict[str, Any]:
    """Errors on the held-out ratings; that the model loses to its baselines is for `report_verdict` to say."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This model does not beat its baselines")
        return learn.validate()


def print_measured(measured: dict[str, Any]) -> None:
    """Errors and ranking figures as tables, each beside its baselines; for draws whether they have converged."""
    import polars as pl

    print_table(errors_frame(measured), f"Error on the held-out ratings (split {measured['split']})")
    if "ranking" in measured:
        found = measured["ranking"]
        title = f"Lists of {found['k']} for {found['users']:,} users: held-out ratings from {found['relevant']:.2f} up"
        print_table(ranking_frame(found), title)
    if "convergence" in measured:
        print_table(pl.DataFrame(measured["convergence"]), "Have the draws converged? (R-hat near 1)")


def errors_frame(measured: dict[str, Any], name: str = "this model") -> "pl.DataFrame":
    """The model's validation errors and the baselines' in one table, the best first."""
    import polars as pl

    rows = {name: measured, **measured["baselines"]}
    shown = [
        {"": label, "rmse": one["rmse"], "mae": one["mae"], "mse": one["valid_loss"]} for label, one in rows.items()
    ]
    return pl.DataFrame(shown).sort("rmse")


def ranking_frame(found: dict[str, Any]) -> "pl.DataFrame":
    """NDCG, recall and hit rate of the model's lists and of lists that are the same for all, the best first."""
    import polars as pl

    k = found["k"]
    rows = [
        {
            "": name,
            f"NDCG@{k}": found[key]["ndcg"],
            f"recall@{k}": found[key]["recall"],
            f"hit rate@{k}": found[key]["hit_rate"],
        }
        for key, name in SCORERS.items()
    ]
    return pl.DataFrame(rows).sort(f"NDCG@{k}", descending=True)


def report_verdict(measured: dict[str, Any]) -> None:
    """A line where the model does not beat its baselines."""
    verdict = not_better(measured)
    if verdict is not None:
        report(f"note: {verdict}")


def not_better(measured: dict[str, Any]) -> str | None:
    """A sentence where a baseline's error is as low as the model's; None where the model beats them all."""
    from vectable.ratings.beside_baselines import verdict

    found = verdict(measured)
    return None if found is None else f"{found} Another learning rate may help too: vectable lr-find."
