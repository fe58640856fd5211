"""`vectable lab descend`: optimizers on the loss surface of a line, or on digits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.lab_data import DataFolder, load_digits
from vectable.cli.options import AsJson
from vectable.cli.output import print_json, print_table, report
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    from vectable.lab.descent import Descent
    from vectable.lab.digits import Run


def descend(
    optimizer: Annotated[
        list[str] | None, typer.Option(help="sgd, momentum, rmsprop, adam, ...; several: --optimizer sgd,adam.")
    ] = None,
    lr: Annotated[
        list[str] | None, typer.Option(help="Learning rate; one for all, or one each: --lr 0.0001,0.1.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Epochs over the 29 points.")] = 10,
    start: Annotated[str, typer.Option(help="Intercept and slope to start from.")] = "1,1",
    digits: Annotated[
        bool, typer.Option("--digits", help="The lesson's comparison on MNIST instead of the line.")
    ] = False,
    out: Annotated[
        list[Path] | None, typer.Option("--out", "-o", help="Plot to draw: .png, .svg, .pdf, or an animated .gif.")
    ] = None,
    data: DataFolder = None,
    seed: Annotated[int, typer.Option(help="Random seed for initialization and batching, with --digits.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Watch optimizers roll down the loss surface of y = 2x + 30, or train on digits.

    [bold]Example:[/bold] vectable lab descend --optimizer sgd,adam --lr 0.0001,0.1 -o way.png -o way.gif
    """
    from vectable.lab.pictures import MOVING, animate_descents, check_picture, draw_descents

    plots = [check_picture(path) for path in out or []]
    if digits:
        require(
            not optimizer and not lr, "--digits has the lesson's optimizers and rates; leave --optimizer and --lr out."
        )
        moving = [path for path in plots if path.suffix.lower() == MOVING]
        require(not moving, "With --digits there is nothing that moves; name a .png, .svg or .pdf.")
        return _on_digits(data, seed, plots, as_json)
    descents = _descents(_split(optimizer or ["sgd,momentum,rmsprop,adam"]), lr, epochs, start)
    _print_descents(descents, as_json)
    for path in plots:
        (animate_descents if path.suffix.lower() == MOVING else draw_descents)(descents, path)
        report(f"Drew {path}.")


def _on_digits(data: Path | None, seed: int, plots: list[Path], as_json: bool) -> None:
    """The comparison on MNIST where it is available, else on the digits that come with scikit-learn."""
    from vectable.lab.digits import compare_on_digits
    from vectable.lab.pictures import draw_losses

    (x, y, x_valid, y_valid), named = load_digits(data)
    runs = compare_on_digits(x, y, x_valid, y_valid, seed=seed)
    _print_digits(runs, named, as_json)
    for path in plots:
        draw_losses({run.name: run.losses for run in runs}, path, f"{named}: loss by batch, first epoch")
        report(f"Drew {path}.")


def _descents(names: list[str], lr: list[str] | None, epochs: int, start: str) -> list["Descent"]:
    from vectable.lab.descent import descend as run_down

    rates: list[float | None] = [None] if lr is None else list(_numbers(lr, "--lr"))
    rates = rates * len(names) if len(rates) == 1 else rates
    if len(rates) != len(names):
        raise VectableError(
            f"There are {len(names)} optimizers and {len(rates)} rates; give one rate, or one for each."
        )
    begin = _numbers([start], "--start")
    require(len(begin) == 2, f"--start is {start!r}; give two numbers, intercept and slope, e.g. 1,1.")
    return [run_down(name, rate, epochs, (begin[0], begin[1])) for name, rate in zip(names, rates, strict=True)]


def _split(given: list[str]) -> list[str]:
    return [part.strip() for text in given for part in text.split(",")]


def _numbers(given: list[str], option: str) -> list[float]:
    try:
        return [float(part) for part in _split(given)]
    except ValueError as problem:
        raise VectableError(f"{option} is {','.join(given)!r}; give numbers separated by commas.") from problem


def _print_descents(descents: list["Descent"], as_json: bool) -> None:
    import polars as pl

    from vectable.lab.surface import MARKS, surface_map

    if as_json:
        print_json([{**_by_epoch(one), "said": one.in_words(), "diverged_at_step": one.diverged} for one in descents])
        return
    print("The loss surface, darker is worse: S the start, O the bottom, a letter where each epoch ended.\n")
    print("\n".join(surface_map(descents)))
    print()
    for letter, one in zip(MARKS, descents, strict=False):
        table = _by_epoch(one)
        frame = pl.DataFrame({key: table[key] for key in ("epoch", "intercept", "slope", "error")})
        print_table(frame, f"{letter}  {one.name}, learning rate {one.lr:g}")
    for letter, one in zip(MARKS, descents, strict=False):
        print(f"{letter}  {one.in_words()}")


def _by_epoch(one: "Descent") -> dict[str, Any]:
    at = [min(epoch * one.steps_an_epoch, len(one.slopes) - 1) for epoch in range(len(one.errors))]
    return {
        "optimizer": one.name,
        "lr": one.lr,
        "epoch": list(range(len(one.errors))),
        "intercept": [float(one.intercepts[step]) for step in at],
        "slope": [float(one.slopes[step]) for step in at],
        "error": [float(error) for error in one.errors],
    }


def _print_digits(runs: list["Run"], named: str, as_json: bool) -> None:
    import polars as pl

    rows = [
        {
            "optimizer": run.name,
            "first loss": float(run.losses[0]),
            "last loss, smoothed": run.last,
            "accuracy": run.accuracy,
        }
        for run in runs
    ]
    if as_json:
        print_json({"data": named, "runs": rows})
        return
    print_table(pl.DataFrame(rows), f"{named}: one epoch in batches of 64, one hidden layer of 50")
    last = {run.name: run.last for run in runs}
    print(
        f"Adam at 2e-2 ends at {last['Adam 2e-2']:.3f} where it keeps its averages, and at "
        f"{last['new Adam every step, 2e-2']:.3f} where every step makes a\nnew one, as the lesson's notebook does: "
        "that steps by the rate times the sign of each gradient."
    )
