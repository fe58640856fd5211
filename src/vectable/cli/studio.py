"""`vectable studio`: the whole of it in a browser."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from vectable.cli.output import report
from vectable.errors import VectableError


def studio(
    folder: Annotated[Path, typer.Argument(help="Folder of the projects; made where it is not there.")] = Path(
        "studio"
    ),
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on, 8642 or the next free one by default.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address on this machine; others cannot reach it.")] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Open the studio: drop a file, see what it holds, train, walk through what was learned, take it away.

    Nothing leaves this machine. Trainings go on when the page or the studio is closed.

    [bold]Example:[/bold] vectable studio        vectable studio projects --no-open
    """
    try:
        from vectable.studio.server import run_studio
    except ModuleNotFoundError as missing:
        raise VectableError(
            f"The studio needs {missing.name}, which is not installed: pip install 'vectable[studio]'."
        ) from missing

    def started(address: str) -> None:
        report(f"The studio is at {address}")
        if open_browser:
            webbrowser.open(address)

    run_studio(folder, host, port, started)
