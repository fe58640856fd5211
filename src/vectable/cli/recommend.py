"""`vectable recommend`: the best items for one user, or for all of them into a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.gathering import grouped
from vectable.cli.item_names import items_named
from vectable.cli.models import knows_interactions, open_interactions, open_ratings
from vectable.cli.options import AsJson, Model, N, OutFile, Raw
from vectable.cli.output import print_or_write
from vectable.errors import VectableError

if TYPE_CHECKING:
    from vectable.data.vocabularies import Vocabularies


@dataclass(frozen=True)
class Filters:
    """Which items a list may hold."""

    panel: ClassVar[str] = "Which items"

    include_seen: Annotated[bool, typer.Option("--include-seen", help="Include what the user rated already.")] = False
    only: Annotated[
        list[str] | None, typer.Option(help="Only this item (id or title), or those in @FILE; may be repeated.")
    ] = None
    only_file: Annotated[
        list[Path] | None, typer.Option(help="Only the items in this file, one id or title per line.")
    ] = None
    exclude: Annotated[
        list[str] | None, typer.Option(help="Not this item (id or title), nor those in @FILE; may be repeated.")
    ] = None
    exclude_file: Annotated[
        list[Path] | None, typer.Option(help="None of the items in this file, one id or title per line.")
    ] = None
    min_ratings: Annotated[int, typer.Option(help="Only items with at least this many ratings.")] = 0
    max_per: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=N",
            help="At most N items with the same value of a column of --items, e.g. author=2; may be repeated.",
        ),
    ] = None
    diversity: Annotated[
        float, typer.Option(help="How much the items of a list should differ, 0 (not at all) to 1.")
    ] = 0.0
    novelty: Annotated[
        float, typer.Option(help="Lift what few have met: divide scores by the number of rows to this power, e.g. 0.3.")
    ] = 0.0

    def arguments(self, data: "Vocabularies") -> dict[str, Any]:
        """The arguments of `recommend`."""
        return {
            "exclude_seen": not self.include_seen,
            "candidates": items_named(data, self.only, self.only_file, "--only"),
            "exclude": items_named(data, self.exclude, self.exclude_file, "--exclude"),
            "min_ratings": self.min_ratings,
            "max_per": limits_in(self.max_per),
            "diversity": self.diversity,
            "novelty": self.novelty,
        }


@grouped
def recommend(
    model: Model,
    filters: Filters,
    user: Annotated[str | None, typer.Argument(help="Id of the user; leave it out with --all.")] = None,
    n: N = 10,
    everybody: Annotated[bool, typer.Option("--all", help="For every user, into the file named with --out.")] = False,
    ucb_scale: Annotated[
        float,
        typer.Option(help="Rank by prediction plus this many standard deviations (draws, or an ensemble)."),
    ] = 0.0,
    raw: Raw = False,
    basket: Annotated[
        list[str] | None,
        typer.Option(help="Instead of a user, an item (id or title) of a basket; repeat it, the latest last."),
    ] = None,
    about: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Somebody new by a column of the users' table, e.g. gender=F; repeat it, also with --basket.",
        ),
    ] = None,
    new_items: Annotated[
        Path | None,
        typer.Option(help="Rank the items of this file, which nobody has met, by their columns: for a user, or who."),
    ] = None,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """The best items for one user, for a basket, or for all users into a file.

    [bold]Example:[/bold] vectable recommend model 42 -n 5        vectable recommend model --all -o lists.parquet
    """
    if new_items is not None:
        if everybody or basket or about or filters != Filters():
            raise VectableError("With --new-items goes one user or none, and no other condition.")
        found = open_interactions(model).recommend_new(new_items, user, n)
        print_or_write(found, out, as_json, f"New items for {user}" if user else "Who would want them")
        return
    if sum((everybody, user is not None, bool(basket or about))) != 1:
        raise VectableError(
            "Name one user, or give --all with --out FILE for every user, or --basket ITEM, or --about COLUMN=VALUE."
        )
    if everybody and out is None:
        raise VectableError("Lists for every user are long: name a file with --out.")
    if knows_interactions(model):
        if ucb_scale or raw:
            raise VectableError("--ucb-scale and --raw belong to models of ratings; this is one of interactions.")
        found = _lists_of_interactions(model, filters, user, basket, about, n)
        print_or_write(
            found, out, as_json, f"For {user}" if user else "For the basket" if basket else "For the new user"
        )
        return
    if about:
        raise VectableError("--about belongs to models of interactions; for one of ratings: cold_start in Python.")
    if basket:
        raise VectableError("--basket belongs to models of interactions; a new user's ratings: fold_in in Python.")
    learn = open_ratings(model)
    asked = {**filters.arguments(learn.data), "ucb_scale": ucb_scale, "raw": raw}
    found = learn.recommend_many(n=n, **asked) if everybody else learn.recommend(user, n=n, **asked)
    print_or_write(found, out, as_json, f"For {user}")


def _lists_of_interactions(
    model: Path, filters: Filters, user: str | None, basket: list[str] | None, about: list[str] | None, n: int
) -> Any:
    """The lists of a model of interactions: for a user, somebody new, or for all where neither is named."""
    learn = open_interactions(model)
    asked = filters.arguments(learn.data)
    if basket or about:
        return learn.fold_in(basket or [], values_in(about)).recommend(n, **asked)
    return learn.recommend_many(n=n, **asked) if user is None else learn.recommend(user, n, **asked)


def values_in(texts: list[str] | None) -> dict[str, str] | None:
    """What ``--about gender=F`` says; None where it is not given.

    Raises:
        VectableError: a text that is not a column, "=" and a value.
    """
    values = {}
    for text in texts or []:
        column, equals, value = text.partition("=")
        if not (column and equals):
            raise VectableError(f"--about is {text!r}; give a column and a value, e.g. gender=F.")
        values[column] = value
    return values or None


def limits_in(texts: list[str] | None) -> dict[str, int] | None:
    """What ``--max-per author=2`` says; None where it is not given.

    Raises:
        VectableError: a text that is not a column, "=" and a number.
    """
    limits = {}
    for text in texts or []:
        column, _, most = text.rpartition("=")
        if not (column and most.isdecimal()):
            raise VectableError(f"--max-per is {text!r}; give a column and a number, e.g. author=2.")
        limits[column] = int(most)
    return limits or None
