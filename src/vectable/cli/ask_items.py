"""`vectable similar` and `vectable explain`: what is like an item, and why a prediction is what it is."""

from pathlib import Path
from typing import Annotated

import typer

from vectable.cli.image_answers import ImagesOption, similar_images
from vectable.cli.models import kind_of, open_lists
from vectable.cli.options import AsJson, Model, N, OutFile
from vectable.cli.output import print_frame, print_or_write


def similar(
    model: Model,
    item: Annotated[str, typer.Argument(help="Id or title; for a model of images, a file.")],
    n: N = 10,
    min_ratings: Annotated[
        int | None, typer.Option(min=0, help="Ratings that a neighbor must have; by default 5, where most items do.")
    ] = None,
    photographs: ImagesOption = None,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Items, or images, that the model sees as alike.

    [bold]Example:[/bold] vectable similar model "The Hobbit"        vectable similar model ant.jpg --photographs ants
    """
    if kind_of(model) == "images":
        found = similar_images(model, Path(item), photographs, n)
    else:
        filters = {} if min_ratings is None else {"min_ratings": min_ratings}
        found = open_lists(model).similar(item, n, **filters)
    print_or_write(found, out, as_json, f"Like {item}")


def explain(
    model: Model,
    user: Annotated[str, typer.Argument(help="Id of the user.")],
    item: Annotated[str, typer.Argument(help="Id or title of the item.")],
    n: Annotated[int, typer.Option("-n", min=1, help="Number of seen items to name.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Why a prediction is what it is: terms that add up to it, and the seen items behind them.

    [bold]Example:[/bold] vectable explain model 42 "The Hobbit"
    """
    print_frame(open_lists(model).explain(user, item, n), as_json, f"{item} for {user}")
