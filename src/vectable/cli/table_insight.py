"""What a model of a table learned: which columns matter, where it errs, whether its probabilities are calibrated."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectable.cli.models import open_table
from vectable.cli.output import make_folder, print_json, print_table, report
from vectable.cli.table_report import print_measured, report_verdict
from vectable.errors import VectableError

if TYPE_CHECKING:
    import polars as pl

    from vectable.insight.calibration import Calibration
    from vectable.tables.tabular import TabularLearner

MOST_MAPPED = 300  # values of a column whose map can still be read


def insight_of_table(model: Path, n: int, plots: Path | None, as_json: bool) -> None:
    """Errors, importance of the columns, worst rows; for classes the confusion matrix and the calibration."""
    from vectable.tables.beside_guess import measure

    learn = open_table(model)
    if len(learn.data.valid_rows) < 2:
        raise VectableError(
            f"{str(model)!r} was trained without held-out rows, and insight looks at those: use --valid-pct."
        )
    classes = learn.data.target.kind == "classes"
    measured, importance, worst = measure(learn), learn.feature_importance(), learn.top_losses(n)
    confusion = learn.confusion_matrix() if classes else None
    calibration = learn.calibration() if classes else None
    drawn = [] if plots is None else _draw(learn, make_folder(plots), importance, confusion, calibration)
    if as_json:
        about = {"errors": measured, "importance": importance.to_dicts(), "worst": worst.to_dicts()}
        if confusion is not None and calibration is not None:
            about |= {"confusion": confusion.to_dicts(), "calibration": calibration.table.to_dicts()}
        print_json({**about, "pictures": [str(path) for path in drawn]})
    else:
        print_measured(measured)
        _print(importance, worst, confusion, calibration)
        for path in drawn:
            report(f"drawn: {path}")
    report_verdict(measured)


def _print(
    importance: "pl.DataFrame",
    worst: "pl.DataFrame",
    confusion: "pl.DataFrame | None",
    calibration: "Calibration | None",
) -> None:
    print_table(importance, "Importance: how much the loss grows when a column is shuffled")
    if confusion is not None and calibration is not None:
        print_table(confusion, "Rows: the class; columns: the prediction")
        print_table(calibration.table, f"Probabilities and how often they came true: {calibration.of}")
    print_table(worst if len(worst) > worst.width else _transposed(worst), "The largest losses")


def _transposed(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Rows with many columns as columns with many rows."""
    import polars as pl

    def text(value: Any) -> str:
        return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)

    values = {str(at): [text(value) for value in row] for at, row in enumerate(rows.iter_rows(), start=1)}
    return pl.DataFrame({"column": rows.columns, **values})


def _draw(
    learn: "TabularLearner",
    folder: Path,
    importance: "pl.DataFrame",
    confusion: "pl.DataFrame | None",
    calibration: "Calibration | None",
) -> list[Path]:
    """Learning rate, losses, importance, confusion, calibration, and maps of the category columns, as PNG files."""
    from vectable.insight.importance import plot_importance
    from vectable.insight.mistakes import draw_confusion

    drawn = [folder / name for name in ("learning_rate.png", "losses.png", "importance.png")]
    learn.recorder.plot_lr(show_moms=True, path=str(drawn[0]))
    learn.recorder.plot_losses(path=str(drawn[1]))
    plot_importance(importance, str(drawn[2]))
    if confusion is not None and calibration is not None:
        drawn += [folder / "confusion.png", folder / "calibration.png"]
        draw_confusion(confusion, str(drawn[-2]))
        calibration.plot(str(drawn[-1]))
    for name in [*learn.data.encoder.names_of("category"), *learn.data.encoder.names_of("ordinal")]:
        if 3 <= len(learn.categories(name)) <= MOST_MAPPED and learn.weight(name).shape[1] >= 2:
            drawn.append(folder / f"map_{''.join(one if one.isalnum() else '_' for one in name)}.png")
            learn.embedding_map(name, str(drawn[-1]))
    return drawn
