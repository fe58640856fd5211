"""`vectable serve`: answers over HTTP."""

from functools import partial
from typing import Annotated, cast

import typer

from vectable.cli.output import report
from vectable.errors import VectableError, quote_some, require


def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL[=NAME]...", help="Folders of saved models; a name may end in @VERSION.", show_default=False
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; one that others reach needs a token.")] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="VECTABLE_TOKEN", help="Secret that requests carry: better in the variable, which ps does not show."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    watch: Annotated[bool, typer.Option("--watch", help="Load a model again when its folder changes.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name that requests may call the server by; may be repeated.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="Address of a page whose scripts may ask: https://shop.example; may be repeated."),
    ] = None,
    search: Annotated[
        str,
        typer.Option(
            help="How lists are found: exact scores all items; approximate those that an index finds; auto is "
            "approximate for dot-product models of 100,000 items or more."
        ),
    ] = "exact",
    access_log: Annotated[
        bool, typer.Option("--access-log/--no-access-log", help="Print each request as a line of JSON.")
    ] = True,
) -> None:
    """Answer requests for lists, neighbours, reasons and predictions over HTTP, until Ctrl-C or SIGTERM.

    SIGHUP, or POST /v1/admin/reload, reads the folders again without a dropped request.

    [bold]Example:[/bold] vectable serve models/books --watch        vectable serve old=shop new=shop@new
    """
    try:
        from vectable.answers.loading import SEARCHES, Search
        from vectable.serving.processes import run_server
        from vectable.serving.server_options import ServerOptions, access_of, models_named
    except ModuleNotFoundError as missing:
        raise VectableError(
            f"Serving needs {missing.name}, which is not installed: pip install 'vectable[serve]'."
        ) from missing
    named = models_named(models)
    access = access_of(host, token, allow_host or [], allow_origin or [])
    require(search in SEARCHES, f"--search must be {quote_some(SEARCHES)}; got {search!r}.")
    options = ServerOptions(named, host, port, access, workers, watch, access_log, cast(Search, search))
    run_server(options, partial(_say_started, list(named), token is None))


def _say_started(names: list[str], is_open: bool, address: str) -> None:
    who = "to this machine alone, since there is no token" if is_open else "to whoever sends the token"
    report(f"Serving {', '.join(names)} at {address}/v1/models {who}.")
