"""A training under way: the models, how they train, what trains them, what happened so far, and how far it is.

The fit, the learning-rate finder, checkpoints and saved folders work on this; the `Learner` owns one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vectable.data.batches import BatchPlan, spread_evenly
from vectable.data.tensors import Inputs
from vectable.errors import VectableError, warn
from vectable.models.ensemble import Ensemble
from vectable.models.losses import LossFunction
from vectable.training.data_protocol import Data, FromFrames
from vectable.training.engines.choice import check_engine, make_engine, state_format_of
from vectable.training.engines.job import Job
from vectable.training.engines.protocol import Engine
from vectable.training.engines.torch_engine import TorchEngine
from vectable.training.named_tensors import tensors_under
from vectable.training.options import TrainingOptions
from vectable.training.parameter_groups import (
    LayerGroups,
    Splitter,
    freeze_to,
    has_batch_norm,
    one_a_group,
    parameter_groups,
)
from vectable.training.position import FitPlan, Position
from vectable.training.prediction import measured, outputs_of
from vectable.training.recorder import Recorder
from vectable.training.seeding import seeded
from vectable.training.threads import threads_for


class TrainingSession:
    """Everything that training reads and changes.

    Args:
        data: what the models are trained and measured on.
        model: a torch module, or an `Ensemble` of several, each trained from its own seed.
        loss_func: (outputs, target) -> scalar.
        options: how they are trained.
        device: "cpu", "cuda", ...; by default the GPU when there is one.
        splitter: model -> its layer groups, instead of the model's own.
        report: called with a sentence when something takes longer than one would expect.

    Attributes:
        engines: one per model, made when the first fit begins, with the optimizers' states.
        saved_optimizer: states from a folder, by ``<member>.<name>``, until engines take them up.
        trained_by: name of the engine that made those states; None before any training.
        recorder: what happened in all fits.
        epochs_done: epochs of all fits; an interrupted one counts.
        interrupted_at: epochs done before the latest fit, where that was interrupted.
        frozen: number of frozen layer groups.
        plan: what the fit or finder under way has to do.
        position: how far it is.
    """

    def __init__(
        self,
        data: Data,
        model: nn.Module,
        loss_func: LossFunction,
        options: TrainingOptions,
        *,
        device: str | torch.device | None = None,
        splitter: Splitter | None = None,
        report: Callable[[str], None] = lambda message: None,
    ) -> None:
        check_engine(options.engine)
        self.data = data
        self.device = _device(device)
        self.model = model.to(self.device)
        self.loss_func, self.options, self.splitter, self.report = loss_func, options, splitter, report
        self.engines: list[Engine] = []
        self.saved_optimizer: dict[str, Tensor] = {}
        self.trained_by: str | None = None
        self.recorder = Recorder(self._to_native)
        self.epochs_done = self.frozen = 0
        self.interrupted_at: int | None = None
        self.plan = FitPlan(0, 0)
        self.position = Position()
        self._decays()  # as many as there are layer groups, or a sentence

    # ---------------------------------------------------------------- what is trained

    @property
    def members(self) -> list[nn.Module]:
        """The models that are trained: the members of an ensemble, or the one."""
        return list(self.model.members) if isinstance(self.model, Ensemble) else [self.model]

    @property
    def layer_groups(self) -> LayerGroups:
        """The model's parameters in groups, from first layers to last; of an ensemble, those of one member."""
        model = self.members[0]
        return LayerGroups(parameter_groups(model, self.splitter), model)

    def freeze_to(self, n: int) -> None:
        """Let the layer groups from number `n` on train and freeze those before it; below 0 it counts from the last."""
        for model in self.members:
            self.frozen = freeze_to(parameter_groups(model, self.splitter), model, n, self.options.train_bn)
        for engine in self.engines:
            engine.regroup()

    # ---------------------------------------------------------------- what trains

    def make_engine(self, model: nn.Module) -> Engine:
        """A new engine for one of the models."""
        return make_engine(self._job(model), self.report)

    def prepare_engines(self) -> None:
        """Make the engines, unless they are there, with the optimizers' states of a folder, if they came from one.

        An engine that can no longer train its model, e.g. since a layer was given hooks, is replaced by one that can.
        """
        if self.engines:
            self.engines = [self._able(engine) for engine in self.engines]
            return
        self.engines = [self.make_engine(model) for model in self.members]
        saved, self.saved_optimizer = self.saved_optimizer, {}
        if saved and {engine.state_format for engine in self.engines} == {state_format_of(self.trained_by)}:
            self._load_states([tensors_under(saved, str(member)) for member in range(len(self.engines))])
        elif saved:
            warn(f"The model was trained by the {self.trained_by} engine; training continues with a new optimizer.")
        self.trained_by = self.engines[0].name

    @contextmanager
    def growing(self) -> Iterator[None]:
        """Inside, the models' tables may gain rows; afterwards their engines continue with the optimizers' states."""
        self.prepare_engines()
        states = [engine.state() for engine in self.engines]
        yield
        self.engines = [self.make_engine(model) for model in self.members]
        self._load_states(states)

    def drop_engines(self) -> None:
        """Forget the optimizers' states: the next fit starts new ones."""
        self.engines, self.saved_optimizer = [], {}

    # ---------------------------------------------------------------- batches, predictions, figures

    def seeded(self, *purpose: int | str) -> AbstractContextManager[np.random.Generator]:
        """Random numbers that depend on the seed and on `purpose` alone; torch's state is afterwards as before."""
        return seeded(self.options.seed, self.device, *purpose)

    def batches(self, engine: Engine, rng: np.random.Generator) -> BatchPlan:
        """The batches of one epoch, in an engine's order; for a net with batch norm all of nearly one size.

        A small last batch would enter batch norm's running statistics with the weight of a full one. The lesson's
        preset keeps it.
        """
        plan = engine.batches(self.data, rng)
        return spread_evenly(plan) if self.options.dialect.even_batches and has_batch_norm(self.model) else plan

    def outputs(self, model: nn.Module, rows: Inputs) -> Tensor:
        """A model's outputs for all rows, (rows, ...), on the CPU, without gradients."""
        with threads_for(self.members[0], self.device, self.options.threads):
            return outputs_of(model, rows, self.device)

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Loss and metrics of a model on the validation rows; not a number where there are none."""
        rows = self.data.valid
        metrics = self.options.metrics_by_name
        if len(rows) == 0:
            return {"valid_loss": float("nan"), **dict.fromkeys(metrics, float("nan"))}
        return measured(self.outputs(model, rows), rows, self.loss_func, metrics, self.data)

    # ---------------------------------------------------------------- inside

    def _decays(self) -> list[float]:
        wd, count = self.options.wd, len(self.layer_groups)
        return [float(one) for one in one_a_group(wd, count, "weight decay", "a non-negative number")]

    def _job(self, model: nn.Module) -> Job:
        groups = parameter_groups(model, self.splitter)
        return Job(model, self.loss_func, self.options, groups, self._decays(), self.data.train)

    def _able(self, engine: Engine) -> Engine:
        """An engine, or where it can no longer train its model another with its optimizer's state."""
        job = self._job(engine.model)
        if engine.state_format != TorchEngine.state_format or engine.why_not(job) is None:
            return engine
        other = make_engine(job, self.report)
        other.load_state(engine.state())
        self.trained_by = other.name
        return other

    def _load_states(self, states: Sequence[Mapping[str, Tensor]]) -> None:
        for engine, state in zip(self.engines, states, strict=True):
            if state:
                engine.load_state(dict(state))

    def _to_native(self, frame: Any) -> Any:
        return self.data.to_native(frame) if isinstance(self.data, FromFrames) else frame


def _device(name: str | torch.device | None) -> torch.device:
    try:
        return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, TypeError) as problem:
        raise VectableError(f"There is no device {name!r}; use 'cpu', 'cuda' or 'cuda:1'.") from problem
