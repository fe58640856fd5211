"""`vectable search`: items of a model of ratings by a part of their title."""

from typing import Annotated

import typer

from vectable.cli.models import open_ratings
from vectable.cli.options import AsJson, Model, N
from vectable.cli.output import print_frame
from vectable.errors import UnknownNameError


def search(
    model: Model,
    text: Annotated[str, typer.Argument(help="A part of the title, or of the id where there are no titles.")],
    n: N = 10,
    as_json: AsJson = False,
) -> None:
    """Items by a part of their title; case, accents and punctuation do not matter.

    [bold]Example:[/bold] vectable search model hobbit
    """
    from vectable.data.item_search import search_items

    data = open_ratings(model).data
    codes = search_items(data, text, n)
    if len(codes) == 0:
        raise UnknownNameError(f"None of the {data.n_items:,} items has a name like {text!r}.")
    found = data.item_frame(codes, ratings=data.item_counts[codes], mean_rating=data.item_means[codes])
    print_frame(found, as_json, f"Items like {text!r}")
