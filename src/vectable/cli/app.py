"""The commands, by name and in groups. Each lives in a file of its own; torch is imported only where one needs it."""

from collections.abc import Callable
from typing import Annotated

import typer

from vectable._version import __version__
from vectable.cli.ask_items import explain, similar
from vectable.cli.data_sets import datasets
from vectable.cli.demo import demo
from vectable.cli.encode import encode
from vectable.cli.evaluate import evaluate
from vectable.cli.export import export, export_vectors
from vectable.cli.info import info
from vectable.cli.insight import insight
from vectable.cli.lab import app as lab
from vectable.cli.lr_find import lr_find
from vectable.cli.plan import plan
from vectable.cli.predict import predict
from vectable.cli.publish import publish
from vectable.cli.recommend import recommend
from vectable.cli.renamed import Command
from vectable.cli.score import score
from vectable.cli.search import search
from vectable.cli.serve import serve
from vectable.cli.slim import slim
from vectable.cli.studio import studio
from vectable.cli.train_images import images
from vectable.cli.train_interactions import interactions, next_item
from vectable.cli.train_ratings import ratings
from vectable.cli.train_table import table
from vectable.cli.update import update

ABOUT = "Embedding models from everyday tabular data: train on a file, then ask what was learned."
TRAINING, ASKING, ELSEWHERE, LEARNING = "Training", "Asking a model", "Using it elsewhere", "Data and the lesson"

app = typer.Typer(
    name="vectable",
    help=ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
train = typer.Typer(no_args_is_help=True)


def _version(asked: bool) -> None:
    if asked:
        print(f"vectable {__version__}")
        raise typer.Exit


@app.callback(help=ABOUT)
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """The program itself, without a command."""


@train.callback()
def _train() -> None:
    """Train a model on a file and save it."""


def _add(group: typer.Typer, name: str, command: Callable[..., None], panel: str | None = None) -> None:
    group.command(name, cls=Command, rich_help_panel=panel)(command)


_add(train, "ratings", ratings)
_add(train, "interactions", interactions)
_add(train, "next", next_item)
_add(train, "table", table)
_add(train, "images", images)
app.add_typer(train, name="train", help="Train a model on a file and save it.", rich_help_panel=TRAINING)
_add(app, "update", update, TRAINING)
_add(app, "evaluate", evaluate, TRAINING)
_add(app, "lr-find", lr_find, TRAINING)
_add(app, "recommend", recommend, ASKING)
_add(app, "search", search, ASKING)
_add(app, "similar", similar, ASKING)
_add(app, "explain", explain, ASKING)
_add(app, "predict", predict, ASKING)
_add(app, "score", score, ASKING)
_add(app, "insight", insight, ASKING)
_add(app, "info", info, ASKING)
_add(app, "export-vectors", export_vectors, ELSEWHERE)
_add(app, "export", export, ELSEWHERE)
_add(app, "publish", publish, ELSEWHERE)
_add(app, "serve", serve, ELSEWHERE)
_add(app, "slim", slim, ELSEWHERE)
_add(app, "studio", studio, LEARNING)
_add(app, "demo", demo, LEARNING)
_add(app, "datasets", datasets, LEARNING)
_add(app, "encode", encode, LEARNING)
_add(app, "plan", plan, LEARNING)
app.add_typer(
    lab, name="lab", help="The lesson by hand: exercises, workbooks, descent to play with.", rich_help_panel=LEARNING
)
