"""Which engine trains a model, and why not the other: the compiled one wherever it can."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.compiling import EngineUnavailable
from vectable.data.batches import BatchPlan
from vectable.errors import UnknownNameError, VectableError, did_you_mean, is_whole, require, warn
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.losses import LossFunction
from vectable.training.engines.compiled.engine import LazyAdamW
from vectable.training.engines.compiled.ready import warm_up
from vectable.training.engines.torch_engine import OPTIMIZERS, PRECISIONS, Engine, OptimizerMaker, TorchEngine
from vectable.training.parameter_groups import Groups
from vectable.training.presets import Preset
from vectable.training.schedules import Schedule

if TYPE_CHECKING:
    from vectable.data.tensors import TensorSet

ENGINES = ("auto", "compiled", "torch")
BETA2 = 0.99
RATINGS_A_CALL = 100_000  # between two looks at the progress bar and at Ctrl-C


def make_engine(
    model: nn.Module,
    loss_func: LossFunction,
    opt: str | OptimizerMaker,
    *,
    groups: Groups,
    preset: Preset,
    wd: Sequence[float],
    wd_mode: str,
    precision: str = "fp32",
    accumulate: int = 1,
    engine: str = "auto",
    threads: int = 2,
    weighted: bool = False,
    tell: Callable[[str], None] = lambda message: None,
) -> Engine:
    """The compiled engine for a dot-product model on the CPU, torch for everything else.

    Args:
        groups: the model's parameters by layer group.
        wd: weight decay of each.
        weighted: whether the rows have weights.
        tell: called with a sentence when something takes longer than one would expect.

    Raises:
        VectableError: `engine` is "compiled" and it cannot train this; the message says why.
    """
    if engine != "torch":
        plain = precision == "fp32" and accumulate == 1
        reason = why_not_compiled(model, loss_func, opt, wd_mode, len(groups), weighted, plain)
        if reason is None and isinstance(model, EmbeddingDotBias):
            try:
                warm_up(
                    on_compile=lambda: tell("Compiling the training engine; this happens once and takes a few seconds.")
                )
                return CompiledEngine(model, preset=preset, wd=wd[0], threads=threads)
            except EngineUnavailable as problem:
                reason = str(problem)
                warn(f"Training with torch, more slowly: {reason}")
        if engine == "compiled":
            raise VectableError(f"The compiled engine cannot train this: {reason}. Use engine='auto'.")
    how: dict[str, Any] = {"wd": wd, "wd_mode": wd_mode, "precision": precision, "accumulate": accumulate}
    return TorchEngine(model, loss_func, opt, groups=groups, preset=preset, **how)


def check_choice(
    opt: str | OptimizerMaker, wd_mode: str, engine: str, precision: str = "fp32", accumulate: int = 1
) -> None:
    """Raise a sentence for an optimizer, a kind of weight decay, an engine or a precision that there is not."""
    if not callable(opt) and opt not in OPTIMIZERS:
        hint = did_you_mean(opt, OPTIMIZERS)
        raise UnknownNameError(
            f"There is no optimizer {opt!r}.{hint} There are {list(OPTIMIZERS)}, or give a function."
        )
    require(wd_mode in ("decoupled", "l2"), f"wd_mode is {wd_mode!r}; it is 'decoupled' or 'l2'.")
    require(engine in ENGINES, f"engine is {engine!r}; it is one of {list(ENGINES)}.")
    known = ["fp32", *PRECISIONS]
    require(precision in known, f"precision is {precision!r}; it is one of {known}.")
    require(is_whole(accumulate, 1), f"accumulate is {accumulate!r}; it is a number of batches, 1 or more.")


def why_not_compiled(
    model: nn.Module,
    loss_func: LossFunction,
    opt: Any,
    wd_mode: str,
    n_groups: int = 1,
    weighted: bool = False,
    plain: bool = True,
) -> str | None:
    """The reason why the compiled engine does not fit, or None when it does."""
    if type(model) is not EmbeddingDotBias:
        return f"it trains EmbeddingDotBias, and the model is {type(model).__name__}"
    if not (isinstance(loss_func, nn.MSELoss) and loss_func.reduction == "mean"):
        return "it minimises the mean squared error, and the loss is another"
    if opt != "adam" or wd_mode != "decoupled":
        return "it is Adam with decoupled weight decay, and another optimizer is asked for"
    if weighted:
        return "it counts all ratings alike, and these have weights"
    if any(p.device.type != "cpu" or p.dtype != torch.float32 or not p.requires_grad for p in model.parameters()):
        return "it works on unfrozen 32-bit weights on the CPU"
    if n_groups > 1:
        return f"it trains one layer group, and there are {n_groups}"
    if not plain:
        return "it takes a step a batch, in 32 bits"
    return None


class CompiledEngine:
    """Dense AdamW on an `EmbeddingDotBias`, every row brought up to date when it is next read."""

    name = "compiled"
    in_place = False

    def __init__(self, model: EmbeddingDotBias, *, preset: Preset, wd: float, threads: int) -> None:
        self.model: EmbeddingDotBias = model
        self.options = {
            "y_range": model.y_range,
            "beta2": BETA2,
            "eps": preset.eps,
            "wd": wd,
            "threads": threads,
        }
        self.forget()

    def begin(self, schedule: Schedule) -> None:
        """Start a fit from the weights that the module holds."""
        self.optimizer.set_weights(*self._arrays())
        try:
            self.optimizer.begin(schedule.lrs[:, 0], schedule.moms[:, 0])
        except EngineUnavailable as problem:
            raise VectableError(f"The compiled engine cannot train this: {problem}. Use engine='torch'.") from problem

    def run(
        self, plan: BatchPlan, rows: "TensorSet", first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Train one epoch, a good many batches a call."""
        users, items = (column.numpy() for column in rows.inputs)
        ratings = rows.target.numpy()
        stride = max(1, RATINGS_A_CALL * len(plan) // max(len(plan.order), 1))
        stride = min(stride, most or stride)
        for begin in range(first, len(plan), stride):
            yield self.optimizer.train(users, items, ratings, plan, begin, min(begin + stride, len(plan)))

    def settle(self) -> None:
        """Bring every row up to the step reached, in the module."""
        with torch.no_grad():
            for table, values in zip(self._tables(), self.optimizer.weights(), strict=True):
                table.weight.copy_(torch.from_numpy(values).reshape(table.weight.shape))

    def forget(self) -> None:
        """Start with empty moments."""
        self.optimizer = LazyAdamW(*self._arrays(), **self.options)  # type: ignore[arg-type]

    def regroup(self) -> None:
        """Its one group trains always."""

    def state(self) -> dict[str, Tensor]:
        """Moments of every row, and the number of steps taken."""
        held = {name: torch.from_numpy(values) for name, values in self.optimizer.moments().items()}
        return held | {"step": torch.tensor(self.optimizer.step)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what `state` gave; rows that came since have empty moments."""
        self.optimizer = LazyAdamW(*self._arrays(), **self.options)  # type: ignore[arg-type]
        moments = {name: values.numpy() for name, values in state.items() if name != "step"}
        for name, now in self.optimizer.moments().items():
            if len(moments[name]) < len(now):
                moments[name] = np.concatenate([moments[name], np.zeros_like(now[len(moments[name]) :])])
        self.optimizer.load_moments(moments, int(state["step"]))

    def snapshot(self) -> dict[str, Tensor]:
        """The tables as they are, every row at the step where it was last read."""
        return {name: torch.from_numpy(values) for name, values in self.optimizer.snapshot().items()}

    def restore(self, schedule: Schedule, snapshot: dict[str, Tensor], n_steps: int) -> None:
        """Put those tables back; the snapshot itself knows the step."""
        arrays = {name: values.numpy() for name, values in snapshot.items()}
        self.optimizer.restore(arrays, schedule.lrs[:, 0], schedule.moms[:, 0])

    def _tables(self) -> tuple[nn.Embedding, nn.Embedding, nn.Embedding, nn.Embedding]:
        model = self.model
        return model.user_factors, model.user_bias, model.item_factors, model.item_bias

    def _arrays(self) -> tuple[NDArray[np.float32], ...]:
        factors_and_biases = [table.weight.detach().numpy() for table in self._tables()]
        return tuple(a[:, 0] if at % 2 else a for at, a in enumerate(factors_and_biases))
