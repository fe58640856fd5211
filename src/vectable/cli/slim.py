"""`vectable slim`: what a saved model answers from, in a folder of its own."""

from pathlib import Path
from typing import Annotated

import typer

from vectable.cli.options import AsJson, Model
from vectable.cli.output import print_json


def slim(
    model: Model,
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    search: Annotated[
        bool, typer.Option("--search", help="With an index for approximate search among very many items.")
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Round the weights to 16 bits: half their bytes, answers nearly the same.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a serving folder: what answers and nothing else, to be copied to where it is asked.

    It answers as the model does, takes a fraction of the space, and cannot be trained on or measured.

    [bold]Example:[/bold] vectable slim model model-to-serve
    """
    from vectable.loading import slim as write

    path = write(model, out, search=search, half=half)
    sizes = {name: _bytes_in(folder) for name, folder in (("before", model), ("after", path))}
    if as_json:
        print_json({"written": str(path), "bytes": sizes})
    else:
        print(f"{path}: {sizes['after']:,} bytes of {sizes['before']:,}")


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
