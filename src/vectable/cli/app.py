"""The commands, by name. Each lives in a file of its own kind; torch is imported only where one needs it."""

from typing import Annotated

import typer

from vectable._version import __version__
from vectable.cli import ask, data_sets, demo, export, lab, photographs, tables, train

app = typer.Typer(
    name="vectable",
    help="Embedding models from the tables people have: train on a file, then ask what was learned.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"vectable {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Embedding models from the tables people have: train on a file, then ask what was learned."""


app.command("demo")(demo.demo)
train.app.command("table")(tables.table)
train.app.command("images")(photographs.images)
app.add_typer(train.app, name="train", help="Train a model on a file and save it.")
app.command("lr-find")(train.lr_find)
app.command("recommend")(ask.recommend)
app.command("similar")(ask.similar)
app.command("explain")(ask.explain)
app.command("insight")(ask.insight)
app.command("predict")(ask.predict)
app.command("info")(ask.info)
app.command("export-vectors")(ask.export_vectors)
app.command("export")(export.export)
app.command("datasets")(data_sets.datasets)
app.add_typer(lab.app, name="lab", help="The lesson by hand: workbooks, descent to play with, every number.")
