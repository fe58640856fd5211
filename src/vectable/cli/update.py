"""`vectable update`: tomorrow's rows taken in by a saved model of ratings or interactions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vectable.cli.gathering import grouped
from vectable.cli.models import kind_of, knows_interactions, open_gradient, open_interactions
from vectable.cli.options import AsJson, Model, TextFile
from vectable.cli.output import print_json
from vectable.errors import require

if TYPE_CHECKING:
    from vectable.interactions.learner import InteractionLearner
    from vectable.ratings.collab import CollabLearner


@grouped
def update(
    model: Model,
    file: Annotated[str, typer.Argument(help="File with the new rows, in the columns of the old ones.")],
    text: TextFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to save to; by default the model is replaced.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=0, help="Epochs on all ratings; interactions are fitted again.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Take in new ratings or interactions: new users, new items, and more of the known; and save.

    [bold]Example:[/bold] vectable update model november.csv
    """
    from vectable.artifact import check_target

    require(kind_of(model) != "posterior", "Draws from a posterior take in no new rows: train on all of them again.")
    out = check_target(model if out is None else out)
    rows = text.read(file)
    learn: InteractionLearner | CollabLearner
    if knows_interactions(model):
        learn = of_interactions = open_interactions(model)
        before = learn.data.n_users, learn.data.n_items
        of_interactions.update(rows)
    else:
        learn = of_ratings = open_gradient(model)
        before = learn.data.n_users, learn.data.n_items
        of_ratings.update(rows, epochs)
    folder = learn.save(out)
    new_users, new_items = learn.data.n_users - before[0], learn.data.n_items - before[1]
    if as_json:
        print_json({"saved": str(folder), "rows": len(rows), "new_users": new_users, "new_items": new_items})
    else:
        print(
            f"{len(rows):,} rows taken in, with {new_users:,} new users and {new_items:,} new items; saved to {folder}."
        )
