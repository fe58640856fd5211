"""Training a small net with the compiled kernels: the steps that torch would take, at a fraction of the time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.compiling import compile_module
from vectable.data.batches import BatchPlan
from vectable.data.tensors import TensorSet
from vectable.errors import VectableError
from vectable.models.losses import LossFunction
from vectable.models.tabular import STEP
from vectable.one_blas_thread import one_blas_thread
from vectable.training.data_protocol import Data
from vectable.training.engines.job import Job
from vectable.training.engines.nets import kernels as K
from vectable.training.engines.nets.idle_rows import idle_steps
from vectable.training.engines.nets.program import Program, program_of, why_no_program
from vectable.training.engines.torch_engine import flushing_denormals, without_decay
from vectable.training.schedules import Schedule
from vectable.training.threads import is_small

BETA2 = 0.99
ROWS_A_CALL = 20_000  # between two looks at the progress bar and at Ctrl-C
WEIGHTS_A_ROW = 16  # so many rows a call more for each of them: a call begins and ends with all weights
BY_ROW_FROM = 300_000
"""Numbers in an embedding table from which on a step goes through the rows that its batch reads alone."""
RULES = {"adam": K.ADAM, "sgd": K.SGD, "momentum": K.MOMENTUM, "rmsprop": K.RMSPROP}
MOMENTS = {
    "adam": ("exp_avg", "exp_avg_sq"),
    "sgd": (),
    "momentum": ("momentum_buffer",),
    "rmsprop": ("", "square_avg"),
}
"""torch's names of the two moments: a folder's optimizer state reads the same, whichever engine wrote it."""
COUNTED = ("adam", "rmsprop")
"""Optimizers of which torch keeps the number of steps."""


_ready: list[Callable[..., int]] = []


def train_steps(on_compile: Callable[[], None] | None = None) -> Callable[..., int]:
    """The compiled loop, compiled or loaded once per process.

    Raises:
        EngineUnavailable: numba cannot be imported, is switched off, or cannot compile it.
    """
    if not _ready:
        _ready.append(compile_module("vectable.training.engines.nets.kernels", on_compile)["train_steps"])
    return _ready[0]


class NetEngine:
    """Any net that `program.program_of` knows, in 32 bits on one CPU thread.

    Args:
        job: the model, its loss and its options.
    """

    name = "nets"
    state_format = "torch"
    in_place = True

    def __init__(self, job: Job) -> None:
        self.model, self.loss_func, self.groups = job.model, job.loss_func, job.groups
        self.opt, self.preset = str(job.options.opt), job.options.dialect
        self.wd, self.l2 = np.array(job.wd, dtype=np.float64), job.options.wd_mode == "l2"
        sizes = [one.numel() for one in self.model.parameters()]
        self.first_moments, self.second_moments = (np.zeros(sum(sizes), dtype=np.float32) for _ in range(2))
        self.counts = np.zeros(len(sizes), dtype=np.int64)
        self._programs: dict[int, Program] = {}  # of this fit, by the rows of the largest batch

    @classmethod
    def why_not(cls, job: Job) -> str | None:
        """The reason why it cannot train this, or why it does not where no engine is named; None where it does."""
        options, rows = job.options, job.rows
        if options.engine != cls.name and not is_small(job.model):
            return "the net is large, and torch shares its layers out among threads"
        if options.precision != "fp32" or options.accumulate > 1:
            return "it takes a step per batch, in 32 bits"
        if not isinstance(options.opt, str):
            return "the optimizer is a function"
        if type(rows) is not TensorSet:
            return "the rows are read from disk block by block"
        if not any(one.requires_grad for one in job.model.parameters()):
            return "all parameters are frozen"
        if getattr(job.model, "linear", None) is not None and not isinstance(job.loss_func, nn.MSELoss):
            return "the net has a linear part, which it knows beside the mean squared error alone"
        return _why_not_loss(job.loss_func, rows) or _why_not_inputs(job.model, rows) or why_no_program(job.model)

    @classmethod
    def make(cls, job: Job, report: Callable[[str], None]) -> Self:
        """An engine for such a job, its kernels compiled.

        Raises:
            EngineUnavailable: the kernels cannot be compiled here.
        """
        train_steps(lambda: report("Compiling the engine for small nets; this happens once and takes some seconds."))
        return cls(job)

    # ---------------------------------------------------------------- training

    def begin(self, schedule: Schedule) -> None:
        """Start a fit."""
        self.schedule, self.step = schedule, 0
        self._programs.clear()

    def batches(self, data: Data, rng: np.random.Generator) -> BatchPlan:
        """The data's own."""
        return data.plan(rng)

    def run(
        self, plan: BatchPlan, rows: TensorSet, first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Train one epoch, a good many batches a call."""
        work = _Work.of(self._program(int((plan.stops - plan.starts).max())), rows, self.loss_func)
        parameters = self._parameters()
        tables, fresh = self._stepped_by_row(work.program, parameters)
        key = np.uint64(torch.initial_seed() % 2**64)  # of the epoch: random numbers depend on it and on the step alone
        before = self.step - first
        rows_a_call = max(ROWS_A_CALL, len(work.weights) // WEIGHTS_A_ROW)
        stride = max(1, rows_a_call * len(plan) // max(len(plan.order), 1))
        stride = min(stride, most or stride)
        for start in range(first, len(plan), stride):
            stop = min(start + stride, len(plan))
            losses = np.empty(stop - start)
            with one_blas_thread(), flushing_denormals():
                work.read_module()
                fresh[:] = 0
                stop = train_steps()(
                    plan.order, plan.starts, plan.stops, start, stop, before, key,
                    *work.rows, *work.operations, tables, *work.tables,
                    work.weights, work.grads, self.first_moments, self.second_moments, self.counts,
                    work.stats, work.tracked,
                    parameters, self.schedule.lrs, self.schedule.moms, self.wd,
                    RULES[self.opt], BETA2, self.preset.eps, self.l2, *work.scratch,
                    fresh, *np.empty((2, len(tables), len(losses)), dtype=np.float32),
                    self._idle(tables, parameters, before + start, before + stop), *work.letters, losses,
                )  # fmt: skip
                work.write_module()
            self.step = before + stop
            yield losses[: stop - start]
            if stop - start < len(losses):  # the loss is not finite: whoever asked stops here
                return

    def sync_weights(self) -> None:
        """The module holds the weights of the step reached already."""

    def regroup(self) -> None:
        """Other parameters train from here on: the moments of those at rest are dropped, as torch's are."""
        self._programs.clear()
        for number, (at, stop, parameter) in enumerate(self._stretches()):
            if not parameter.requires_grad:
                self.first_moments[at:stop] = self.second_moments[at:stop] = 0
                self.counts[number] = 0

    # ---------------------------------------------------------------- what is kept

    def state(self) -> dict[str, Tensor]:
        """Moments and step counts as ``<name of the parameter>.<name>``, named as torch names them."""
        held: dict[str, Tensor] = {}
        names = dict(zip(self.model.parameters(), self.model.named_parameters(), strict=True))
        for number, (at, stop, parameter) in enumerate(self._stretches()):
            if not self.counts[number]:
                continue
            name = names[parameter][0]
            if self.opt in COUNTED:
                held[f"{name}.step"] = torch.tensor(float(self.counts[number]))
            for kind, moments in zip(MOMENTS[self.opt], (self.first_moments, self.second_moments), strict=False):
                if kind:
                    held[f"{name}.{kind}"] = torch.from_numpy(moments[at:stop].copy()).reshape(parameter.shape)
        return held

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave; rows that a table has gained start with empty moments."""
        for number, (name, (at, stop, parameter)) in enumerate(
            zip((name for name, _ in self.model.named_parameters()), self._stretches(), strict=True)
        ):
            self.first_moments[at:stop] = self.second_moments[at:stop] = 0
            self.counts[number] = 0
            for kind, moments in zip(MOMENTS[self.opt], (self.first_moments, self.second_moments), strict=False):
                if kind and (value := state.get(f"{name}.{kind}")) is not None:
                    if value.shape[1:] != parameter.shape[1:] or value.numel() > parameter.numel():
                        raise VectableError(f"The optimizer's state of {name!r} has another shape than the model.")
                    moments[at : at + value.numel()] = value.detach().reshape(-1).numpy()
                    self.counts[number] = 1
            if (count := state.get(f"{name}.step")) is not None:
                self.counts[number] = int(count)

    def snapshot(self) -> dict[str, Tensor]:
        """The optimizer's state; the module holds the weights."""
        return self.state()

    def restore(self, schedule: Schedule, snapshot: dict[str, Tensor], n_steps: int) -> None:
        """Continue with that state."""
        self.begin(schedule)
        self.load_state(snapshot)
        self.step = n_steps

    # ---------------------------------------------------------------- inside

    def _idle(
        self, tables: NDArray[np.int64], parameters: NDArray[np.int64], first: int, stop: int
    ) -> NDArray[np.float64]:
        """What the steps [first, stop) of the schedule do to rows of large tables that no batch reads."""
        lrs, moms = self.schedule.lrs[first:stop], self.schedule.moms[first:stop]
        if self.opt != "adam" or self.l2 or (moms**2 >= BETA2).any() or not (tables[:, 3] >= 0).any():
            return np.zeros((len(tables), 0, 4))
        idle = np.zeros((len(tables), stop - first + 1, 4))
        for at, number in enumerate(tables[:, 3]):
            if number >= 0:
                group, decays = int(parameters[number, K.GROUP]), bool(parameters[number, K.DECAYS])
                wd, taken = float(self.wd[group]) if decays else 0.0, int(self.counts[number])
                idle[at] = idle_steps(lrs[:, group], moms[:, group], BETA2, self.preset.eps, wd, taken)
        return idle

    def _program(self, rows: int) -> Program:
        if rows not in self._programs:
            self._programs[rows] = program_of(self.model, rows)
        return self._programs[rows]

    def _stretches(self) -> Iterator[tuple[int, int, nn.Parameter]]:
        """Where each parameter's numbers begin and end, and the parameter."""
        at = 0
        for parameter in self.model.parameters():
            yield at, at + parameter.numel(), parameter
            at += parameter.numel()

    def _parameters(self) -> NDArray[np.int64]:
        """The table of parameters as the kernels take it."""
        group_of = {id(one): number for number, group in enumerate(self.groups) for one in group}
        plain = set() if self.preset.decay_everything else without_decay(self.model)
        return np.array(
            [
                [at, stop - at, group_of[id(one)], id(one) not in plain, one.requires_grad, False]
                for at, stop, one in self._stretches()
            ],
            dtype=np.int64,
        )

    def _stepped_by_row(self, program: Program, parameters: NDArray[np.int64]) -> tuple[Any, NDArray[np.int64]]:
        """The embedding tables as the kernels take them, large ones marked in `parameters` too; and room for how far
        each of their rows is."""
        tables, n_rows = np.full((len(program.tables), 5), -1, dtype=np.int64), 0
        tables[:, :3] = program.tables
        for at, width, rows, *_ in tables:
            number = int(np.flatnonzero((parameters[:, K.AT] == at) & (parameters[:, K.LENGTH] > 0))[0])
            if parameters[number, K.TRAINS] and width * rows >= BY_ROW_FROM:
                parameters[number, K.BY_ROW] = True
                tables[tables[:, 0] == at, 3:] = number, n_rows
                n_rows += rows
        return tables, np.zeros(n_rows, dtype=np.int64)


@dataclass
class _Work:
    """The arrays of one epoch, in the order in which the kernel takes them."""

    program: Program
    rows: tuple[Any, ...]
    operations: tuple[Any, ...]
    tables: tuple[Any, ...]
    weights: NDArray[np.float32]
    grads: NDArray[np.float32]
    stats: NDArray[np.float32]
    tracked: NDArray[np.int64]
    scratch: tuple[Any, ...]
    letters: tuple[Any, ...]

    @classmethod
    def of(cls, program: Program, rows: TensorSet, loss_func: LossFunction) -> "_Work":
        """For a program and the rows that it trains on."""
        codes, numbers = _inputs(program, rows)
        _check_codes(program, codes)
        bins, buffer = program.bins, program.buffer
        nothing, nowhere = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        of_bins: tuple[Any, ...] = (nowhere, nothing, nothing, nowhere, nothing)
        if bins is not None:
            of_bins = tuple(
                np.ascontiguousarray(bins.get_buffer(name).numpy())
                for name in ("column", "low", "scale", "step_column", "step")
            )
        widest = int(program.operations[:, K.WIDTH_IN].max())
        return cls(
            program,
            (codes, numbers, *_targets(program, rows, loss_func)),
            (program.operations, program.settings),
            (program.places, *of_bins, program.masking, np.float32(STEP)),
            np.empty(program.size, dtype=np.float32),
            np.zeros(program.size, dtype=np.float32),
            np.empty(program.stats, dtype=np.float32),
            np.zeros(len(program.norms), dtype=np.int64),
            (
                np.zeros(buffer, dtype=np.float32), np.zeros(buffer, dtype=np.float32),
                np.zeros(program.stats, dtype=np.float32), np.zeros(2 * widest),
                np.zeros((program.rows, len(program.tables)), dtype=np.int32),
            ),
            (
                np.zeros(6, dtype=np.int32), np.frombuffer(bytearray(b"NT"), dtype=np.uint8),
                np.array([1, 0], dtype=np.float32),
            ),
        )  # fmt: skip

    def read_module(self) -> None:
        """Take weights and running statistics from the module."""
        for at, parameter in zip(self.program.places_of, self.program.parameters, strict=True):
            self.weights[at : at + parameter.numel()] = parameter.detach().reshape(-1).numpy()
        for number, (norm, at) in enumerate(self.program.norms):
            width = norm.num_features
            self.tracked[number] = int(norm.get_buffer("num_batches_tracked"))
            self.stats[at : at + width] = norm.get_buffer("running_mean").numpy()
            self.stats[at + width : at + 2 * width] = norm.get_buffer("running_var").numpy()

    @torch.no_grad()
    def write_module(self) -> None:
        """Give the module the weights and running statistics reached."""
        for at, parameter in zip(self.program.places_of, self.program.parameters, strict=True):
            parameter.copy_(torch.from_numpy(self.weights[at : at + parameter.numel()]).view(parameter.shape))
        for number, (norm, at) in enumerate(self.program.norms):
            width = norm.num_features
            norm.get_buffer("running_mean").copy_(torch.from_numpy(self.stats[at : at + width]))
            norm.get_buffer("running_var").copy_(torch.from_numpy(self.stats[at + width : at + 2 * width]))
            norm.get_buffer("num_batches_tracked").fill_(int(self.tracked[number]))


def _inputs(program: Program, rows: TensorSet) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Category codes, (rows, tables), and numbers, (rows, numbers); blocks of no column where there are none."""
    given = [one.numpy() for one in rows.inputs]
    codes = [one for one in given if one.dtype.kind == "i"]
    numbers = [one for one in given if one.dtype.kind == "f"]
    block = np.column_stack(codes) if codes else np.zeros((len(rows), 0))
    return (
        np.ascontiguousarray(block[:, : len(program.tables)], dtype=np.int32),
        np.ascontiguousarray(numbers[0] if numbers else np.zeros((len(rows), 0)), dtype=np.float32),
    )


def _targets(program: Program, rows: TensorSet, loss_func: LossFunction) -> tuple[Any, ...]:
    """Targets, classes, weights of the rows and of the classes, and the kind of loss."""
    target = rows.target.numpy()
    nothing = np.zeros(0, dtype=np.float32)
    weights = nothing if rows.weights is None else np.ascontiguousarray(rows.weights.numpy(), dtype=np.float32)
    if isinstance(loss_func, nn.CrossEntropyLoss):
        classes = np.ascontiguousarray(target, dtype=np.int64)
        if len(classes) and not (classes.min() >= 0 and classes.max() < program.n_outputs):
            raise VectableError(
                f"A target is class {int(classes.max())}, and the model has {program.n_outputs} outputs, one per class."
            )
        by_class = nothing if loss_func.weight is None else loss_func.weight.detach().float().numpy()
        empty = np.zeros((0, 0), dtype=np.float32)
        return empty, classes, weights, np.ascontiguousarray(by_class), K.CROSS_ENTROPY
    values = np.ascontiguousarray(target, dtype=np.float32).reshape(len(target), -1)
    if values.shape[1] != program.n_outputs:
        raise VectableError(f"The targets are {values.shape[1]} per row, and the model puts out {program.n_outputs}.")
    if program.linear is not None:
        with torch.no_grad():
            values = np.ascontiguousarray(values - program.linear(rows.inputs[1]).numpy())
    return values, np.zeros(0, dtype=np.int64), weights, nothing, K.MEAN_SQUARED_ERROR


def _check_codes(program: Program, codes: NDArray[np.int32]) -> None:
    """Raise a sentence for a code that its table has no row for: compiled code does not look."""
    if not len(codes):
        return
    for at, (low, high) in enumerate(zip(codes.min(axis=0), codes.max(axis=0), strict=True)):
        n_rows = int(program.tables[at, 2])
        if low < 0 or high >= n_rows:
            raise VectableError(
                f"Category column {at} has the code {int(low if low < 0 else high)}, and its table {n_rows} rows."
            )


def _why_not_loss(loss_func: LossFunction, rows: TensorSet) -> str | None:
    if isinstance(loss_func, nn.CrossEntropyLoss):
        plain = loss_func.reduction == "mean" and loss_func.label_smoothing == 0 and loss_func.ignore_index == -100
        if not plain or rows.target.is_floating_point() or rows.target.ndim != 1:
            return "its cross-entropy is of one class per row, without label smoothing"
    elif not (isinstance(loss_func, nn.MSELoss) and loss_func.reduction == "mean"):
        return "it minimizes the mean squared error or a cross-entropy, and the loss is another"
    return None


def _why_not_inputs(model: nn.Module, rows: TensorSet) -> str | None:
    if type(model) is not nn.Sequential:
        return None
    plain = len(rows.inputs) == 1 and rows.inputs[0].ndim == 2 and rows.inputs[0].dtype == torch.float32
    return None if plain else "the input of a sequence of layers is one table of 32-bit numbers"
