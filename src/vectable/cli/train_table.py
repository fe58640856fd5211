"""`vectable train table`: from a table of mixed columns to a saved model that predicts one of them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.gathering import grouped
from vectable.cli.options import AsJson, Lr, ModelFolder, NModels, Preset, Quiet, TextFile, Wd, numbers_in
from vectable.cli.output import print_json, print_table, progress_console, report
from vectable.cli.table_file import File, TableColumns, TableRows, read_table_data
from vectable.cli.table_report import columns_taken, print_measured, report_verdict
from vectable.cli.training import Saved, Watching, outcome, report_kept, report_stopped, stoppable
from vectable.tables.defaults import DECAY, LAYERS, N_MODELS, RATE, batch_size_for, epochs_for

if TYPE_CHECKING:
    from vectable.tables.tabular import TabularLearner

USUAL_LAYERS = ",".join(map(str, LAYERS))
Layers = Annotated[str, typer.Option(help="Widths of the hidden layers.")]


@dataclass(frozen=True)
class Net:
    """The net, and how it is trained."""

    panel: ClassVar[str] = "Model and training"

    epochs: Annotated[
        int | None,
        typer.Option(help="Number of passes over the training rows.", show_default="12, and at least 200 steps"),
    ] = None
    lr: Lr = RATE
    wd: Wd = DECAY
    layers: Layers = USUAL_LAYERS
    dropout: Annotated[float, typer.Option(help="Dropout after each hidden layer; in [0, 1).")] = 0.0
    emb_drop: Annotated[float, typer.Option(help="Dropout on the embeddings; in [0, 1).")] = 0.0
    y_range: Annotated[str | None, typer.Option(help="LOW,HIGH that predicted numbers stay within.")] = None
    n_models: NModels = N_MODELS
    preset: Preset = "modern"
    batch_size: Annotated[
        int | None, typer.Option(help="Rows per step.", show_default="by the number of rows, at most 256")
    ] = None

    @property
    def named_batch_size(self) -> dict[str, int]:
        """The batch size as an argument of `TableData.from_file`, where it is named."""
        return {} if self.batch_size is None else {"batch_size": self.batch_size}

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `tabular_learner`."""
        widths = numbers_in(self.layers, int, "--layers")
        return {
            "layers": widths,
            "ps": [self.dropout] * len(widths),
            "emb_drop": self.emb_drop,
            "y_range": None if self.y_range is None else numbers_in(self.y_range, float, "--y-range"),
            "n_models": self.n_models,
            "wd": self.wd,
            "preset": self.preset,
        }


@grouped
def table(
    file: File,
    columns: TableColumns,
    text: TextFile,
    rows: TableRows,
    net: Net,
    watching: Watching,
    out: ModelFolder = Path("model"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a net to predict a column of a table from the others: categories, numbers, dates, missing values.

    [bold]Example:[/bold] vectable train table people.csv --target salary -o model        vectable train table adult
    """
    from vectable import tabular_learner
    from vectable.artifact import check_target

    check_target(out)
    watching.check()
    made = net.arguments
    data = read_table_data(file, columns, text, **net.named_batch_size, **vars(rows))
    if net.batch_size is None:
        data = replace(data, batch_size=batch_size_for(len(data.train_rows)))
    n_epochs = epochs_for(data.n_steps) if net.epochs is None else net.epochs
    report(columns_taken(data))
    learn = tabular_learner(data, seed=rows.seed, progress=progress_console(quiet), **made)
    if not quiet:
        report(repr(data))
    if not (quiet or as_json):
        print_table(data.summary(), "What the columns were taken for; --cats, --conts and --dates override it")
    with stoppable() as stop:
        learn.fit_one_cycle(n_epochs, net.lr, watching.callbacks(learn), **watching.checkpoints())
    report_kept(learn, watching, n_epochs, quiet)
    report_stopped(learn, watching)
    _finish(learn, out, stop.code, as_json)


def _finish(learn: "TabularLearner", out: Path, stopped: int, as_json: bool) -> None:
    """Save what was trained, and report how good it is."""
    from vectable.tables.beside_guess import beats_guess, measure

    saved = Saved.of(learn, out)
    measured = measure(learn)
    saved.keep(measured, beats_guess(measured))
    if as_json:
        print_json({**outcome(saved, learn), "errors": measured, "beats_baselines": beats_guess(measured)})
    else:
        print_measured(measured)
        print(f"Saved to {saved.folder}. Next: vectable insight {saved.folder}, vectable predict {saved.folder} FILE")
    report_verdict(measured)
    if learn.recorder.interrupted:
        raise typer.Exit(stopped)
