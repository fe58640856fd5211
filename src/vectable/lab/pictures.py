"""Pictures of descents: where optimizers went over the loss surface, still or moving; and loss curves in one plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vectable.errors import DataError, VectableError, quote_some
from vectable.lab.arrays import Array
from vectable.lab.averages import ewma
from vectable.lab.descent import Descent
from vectable.lab.line import INTERCEPT, SLOPE
from vectable.lab.surface import limits_around, surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STILL = (".png", ".svg", ".pdf")
MOVING = ".gif"
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F3C8D"]


def check_picture(path: str | Path) -> Path:
    """The path, if it names a picture that can be made, in a folder that is there.

    Raises:
        VectableError: another suffix.
        DataError: no such folder, or the name is a folder's.
    """
    path = Path(path)
    if path.suffix.lower() not in (*STILL, MOVING):
        raise VectableError(f"The picture {str(path)!r} has to end in {quote_some((*STILL, MOVING))}.")
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise DataError(f"There is no folder {str(path.parent)!r} to draw {path.name!r} into.")
    return path


def draw_descents(descents: Sequence[Descent], path: str | Path | None = None) -> "Figure":
    """The ways over the surface on the left, the error by epoch on the right."""
    figure, (left, right) = _figure(2, (13, 5.2))
    _draw_surface(left, descents)
    for colour, one in zip(_colours(descents), descents, strict=True):
        left.plot(one.intercepts, one.slopes, color=colour, lw=1.3, label=_name(one))
        ends = slice(None, None, one.steps_an_epoch)
        left.plot(one.intercepts[ends], one.slopes[ends], "o", color=colour, ms=3.5)
        right.plot(np.where(np.isfinite(one.errors), one.errors, np.nan), "o-", color=colour, ms=3.5, label=_name(one))
    right.set(xlabel="epoch", ylabel="root mean squared error", yscale="log", title="Error after each epoch")
    left.legend(loc="upper right", fontsize=8)
    right.legend(fontsize=8)
    right.grid(alpha=0.3)
    return _finish(figure, path)


def animate_descents(descents: Sequence[Descent], path: str | Path, frames: int = 60) -> None:
    """The same ways as they grow, a GIF of about `frames` pictures; all take the same steps at the same time."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    figure, (axes,) = _figure(1, (7, 5))
    _draw_surface(axes, descents)
    longest = max(len(one.slopes) for one in descents)
    stops = np.unique(np.linspace(1, longest, min(frames, longest)).astype(int))
    lines = []
    for colour, one in zip(_colours(descents), descents, strict=True):
        (way,) = axes.plot([], [], color=colour, lw=1.3, label=_name(one))
        (head,) = axes.plot([], [], "o", color=colour, ms=7)
        lines.append((one, way, head))
    axes.legend(loc="upper right", fontsize=8)
    title = axes.set_title("")
    figure.tight_layout()

    def show(stop: int) -> list[Any]:
        for one, way, head in lines:
            way.set_data(one.intercepts[:stop], one.slopes[:stop])
            head.set_data(one.intercepts[:stop][-1:], one.slopes[:stop][-1:])
        title.set_text(f"step {stop - 1} of {longest - 1}")
        return [title, *(part for _, way, head in lines for part in (way, head))]

    moving = FuncAnimation(figure, show, frames=[*stops.tolist(), *[int(stops[-1])] * 10], interval=80)
    _write(path, lambda: moving.save(str(path), writer=PillowWriter(fps=12), dpi=80))


def draw_losses(curves: Mapping[str, Array], path: str | Path | None = None, title: str = "Loss by batch") -> "Figure":
    """Loss curves in one plot: the smoothed line (debiased, beta 0.9) of each, and the loss itself faintly behind."""
    figure, (axes,) = _figure(1, (9, 5.2))
    for colour, (name, losses) in zip(_colours(list(curves)), curves.items(), strict=True):
        axes.plot(losses, color=colour, lw=0.5, alpha=0.25)
        axes.plot(ewma(losses, 0.9, debias=True), color=colour, lw=1.6, label=name)
    highest = max(float(np.nanquantile(losses, 0.99)) for losses in curves.values())
    axes.set(xlabel="batch", ylabel="cross-entropy", title=title, ylim=(0, highest * 1.05))
    axes.legend()
    axes.grid(alpha=0.3)
    return _finish(figure, path)


def _draw_surface(axes: "Axes", descents: Sequence[Descent]) -> None:
    """The error in shades, darker is worse, with a line between two: an equal share of what is seen in each shade."""
    from matplotlib.colors import BoundaryNorm

    (left, right), (low, high) = limits_around(descents)
    intercepts, slopes = np.linspace(left, right, 200), np.linspace(low, high, 200)
    errors = surface(intercepts, slopes)
    levels = np.quantile(errors, np.linspace(0, 1, 15))
    axes.contourf(intercepts, slopes, errors, levels, cmap="Greys", alpha=0.6, norm=BoundaryNorm(levels, 256))
    axes.contour(intercepts, slopes, errors, levels, colors="white", linewidths=0.6)
    axes.plot(INTERCEPT, SLOPE, "*", color="#B00020", ms=14, label="y = 2x + 30")
    axes.set(xlabel="intercept", ylabel="slope", title="Ways over the loss surface; one dot per epoch")
    axes.set(xlim=(left, right), ylim=(low, high))


def _figure(columns: int, size: tuple[float, float]) -> tuple["Figure", list["Axes"]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def _colours(things: Sequence[object]) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(len(things))]


def _name(one: Descent) -> str:
    return f"{one.name} {one.lr:g}" + (" (diverges)" if one.diverged is not None else "")


def _finish(figure: "Figure", path: str | Path | None) -> "Figure":
    figure.tight_layout()
    if path is not None:
        _write(path, lambda: figure.savefig(str(path), dpi=110))
    return figure


def _write(path: str | Path, save: Any) -> None:
    check_picture(path)
    try:
        save()
    except OSError as problem:
        raise DataError(f"{str(path)!r} cannot be written: {problem.strerror or problem}.") from problem
