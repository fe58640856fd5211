"""`vectable info`: what a saved model is, from its manifest and its history; torch is imported for --validate alone."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from vectable.cli import image_report, ratings_report, table_report
from vectable.cli.models import INTERACTIONS, open_ratings, open_table
from vectable.cli.options import AsJson, Model
from vectable.cli.output import print_json, print_table
from vectable.errors import ArtifactError, VectableError

HELD_OUT = "On the held-out images"
NOT_FIGURES = ("run", "model", "epoch", "seconds", "chain", "draw")


def info(
    model: Model,
    validate: Annotated[
        bool, typer.Option("--validate", help="Load the model and measure it again, compared with its baselines.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What a saved model is: data, settings, errors, versions.

    [bold]Example:[/bold] vectable info model        vectable info model --validate
    """
    from vectable.artifact import CHECKPOINT, read_manifest

    manifest = read_manifest(model)
    if manifest["kind"] == CHECKPOINT:
        raise ArtifactError(f"{str(model)!r} holds the checkpoint of a fit, not a saved model.")
    kept = manifest["settings"].get("measured")
    measured = _measured_now(model, manifest["kind"]) if validate else kept or _last_figures(model)
    if as_json:
        about = {key: manifest[key] for key in ("kind", "saved", "format_version", "versions", "settings")}
        print_json({**about, "data": manifest["settings"].get("about"), "errors": measured})
        return
    for line in _lines(model, manifest):
        print(line)
    print()
    if manifest["kind"] == "table":
        print_table(_columns(manifest["settings"]["kinds"]), "Columns")
    if validate or kept:
        _print_measured(manifest["kind"], measured)
    elif math.isnan(measured.get("valid_loss", 0)):
        print("No rows were held out to measure on.")
    elif measured:
        print_table(_as_row(measured), "At the end of training, on the held-out rows; --validate measures again")


def _lines(model: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """What the manifest says, in lines."""
    settings = manifest["settings"]
    yield _model_line(model, manifest["kind"], settings)
    if settings.get("about"):
        yield settings["about"]
    if manifest["kind"] == "images":
        recipe = settings["recipe"]
        yield f"classes {', '.join(recipe['classes'])}; images of {recipe['size']} x {recipe['size']} pixels"
    if "epochs_done" in settings:
        trained = ", ".join(f"{name} {settings[name]}" for name in ("preset", "wd", "seed"))
        frozen = f"{settings['frozen']} of {settings['layer_groups']} layer groups frozen"
        yield f"{trained}, {settings['epochs_done']} epochs, {frozen}"
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    yield f"saved {manifest['saved']} with {versions}, format {manifest['format_version']}"


def _model_line(model: Path, kind: str, settings: dict[str, Any]) -> str:
    """Which model it is, and how large."""
    from vectable.artifact import count_weights

    if kind in INTERACTIONS:
        return f"{settings['learner']['chosen']['name']}, {count_weights(model):,} weights"
    if kind == "images":
        recipe = settings["recipe"]
        name = f"{recipe['arch'] or 'a custom module'} with a head of {recipe['width']}"
    else:
        name = f"{settings['model']} x {settings.get('n_models', 1)}"
    if kind in ("ratings", "posterior"):
        return f"{name} ({', '.join(f'{key} {value}' for key, value in settings['config'].items())})"
    return f"{name}, {count_weights(model):,} weights"


def _columns(kinds: dict[str, list[str]]) -> Any:
    """What the columns of a table were taken for."""
    import polars as pl

    return pl.DataFrame([{"column": name, "kind": kind, "why": why} for name, (kind, why) in kinds.items()])


def _last_figures(model: Path) -> dict[str, Any]:
    """The figures of the last epoch, or of the last draws, that the folder's history holds."""
    from vectable.artifact import read_one_table

    history = read_one_table(model, "epochs") or []
    rows = [row for one in history for row in one.get("epochs", [one])]
    return {name: value for name, value in rows[-1].items() if name not in NOT_FIGURES} if rows else {}


def _measured_now(model: Path, kind: str) -> Any:
    """The figures of the loaded model on its held-out rows."""
    if kind == "table":
        from vectable.tables.beside_guess import measure

        return measure(open_table(model))
    if kind in ("ratings", "posterior"):
        return ratings_report.measure(open_ratings(model), None)
    raise VectableError(
        f"{str(model)!r} holds no rows to measure on: --validate is for models of ratings and of tables. For images, "
        "vectable insight MODEL --photographs FOLDER measures on a folder."
    )


def _print_measured(kind: str, measured: Any) -> None:
    """What was measured, as the train commands print it, and whether it is good."""
    if kind == "images":
        print_table(_as_row({name: value for name, value in measured.items() if name != "beats_baselines"}), HELD_OUT)
        image_report.report_verdict(measured)
        return
    of_kind = table_report if kind == "table" else ratings_report
    of_kind.print_measured(measured)
    of_kind.report_verdict(measured)


def _as_row(measured: dict[str, Any]) -> Any:
    import polars as pl

    return pl.DataFrame([measured])
