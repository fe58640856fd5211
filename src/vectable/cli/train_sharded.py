"""`vectable train ratings LANES --distributed`: ratings in lanes, trained by the processes that torchrun started."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vectable.cli.output import print_json, progress_console, report
from vectable.cli.ratings_file import RatingRows
from vectable.cli.ratings_methods import Gradient, limits_in
from vectable.cli.training import Watching
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    from vectable.ratings.sharded.learner import ShardedLearner

SECONDS = 300.0
OTHERS = ("early_stop", "keep", "duplicates", "missing_ids", "split", "nn", "layers", "n_models", "ranking", "engine")
"""Options that this way of training does not have."""


@dataclass(frozen=True)
class Sharded:
    """How lanes are trained by several processes, or read in windows by one."""

    panel: ClassVar[str] = "Lanes, in several processes or larger than memory"

    distributed: Annotated[
        bool,
        typer.Option("--distributed", help="Train one model in all processes that torchrun started; FILE is lanes."),
    ] = False
    window: Annotated[
        int | None, typer.Option(min=1, help="Number of lanes in memory at a time; by default all; FILE is lanes.")
    ] = None
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Patience with another process before all start again.")
    ] = SECONDS
    write_lists: Annotated[
        Path | None, typer.Option(help="Folder for every user's 10 best items as Parquet, written by each process.")
    ] = None
    write_vectors: Annotated[
        Path | None, typer.Option(help="Folder for factors and biases as Parquet, written by each process.")
    ] = None

    @property
    def wanted(self) -> bool:
        """Whether the ratings are trained that way."""
        return self.distributed or self.window is not None

    def check(self) -> None:
        """Refuse options that go with nothing, and --distributed without torchrun."""
        from vectable.distributed.world import started_by_torchrun

        for name in ("write_lists", "write_vectors"):
            option = "--" + name.replace("_", "-")
            require(self.wanted or getattr(self, name) is None, f"{option} belongs to --distributed or --window.")
        require(
            not self.distributed or started_by_torchrun(),
            "--distributed trains in processes that torchrun starts: torchrun --nproc-per-node 2 -m vectable train "
            "ratings lanes --distributed.",
        )


def refuse_what_is_of_whole_ratings(context: typer.Context) -> None:
    """Report an option that several processes do not have, instead of ignoring it."""
    for name in OTHERS:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise VectableError(f"--{name.replace('_', '-')} goes neither with --distributed nor with --window.")


def train_sharded(
    lanes: str,
    rows: RatingRows,
    factors: int | None,
    gradient: Gradient,
    watching: Watching,
    sharded: Sharded,
    out: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train, and save an ordinary folder."""
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.data.ratings.ratings_shard import RatingsShard
    from vectable.distributed.world import join
    from vectable.ratings.collab import collab_learner

    world = join(sharded.timeout)
    first = world.rank == 0
    data = RatingsData.from_lanes(
        lanes, valid_pct=rows.valid_pct, seed=rows.seed, batch_size=gradient.batch_size, window=sharded.window
    )
    assert isinstance(data, RatingsShard)
    if first and not quiet:
        report(repr(data))
    learn = collab_learner(
        data,
        40 if factors is None else factors,
        limits_in(gradient.y_range),
        gradient.wd,
        preset=gradient.preset,
        seed=rows.seed,
        progress=progress_console(quiet or not first),
    )
    learn.fit_one_cycle(gradient.epochs, gradient.lr, **watching.checkpoints())
    measured = learn.validate()
    if sharded.write_lists is not None:
        learn.write_lists(sharded.write_lists)
    if sharded.write_vectors is not None:
        learn.write_vectors(sharded.write_vectors)
    learn.save(out)
    if first:
        _report(learn, measured, out, as_json)


def _report(learn: "ShardedLearner", measured: dict[str, float], out: Path, as_json: bool) -> None:
    size = learn.data.world.size
    if as_json:
        print_json({"model": str(out), "interrupted": False, "processes": size, **measured})
        return
    print(f"Error on the held-out ratings: rmse {measured['rmse']:.4f}, mae {measured['mae']:.4f}; {size} processes")
    print(f"Saved to {out}. Next: vectable recommend {out} USER")
