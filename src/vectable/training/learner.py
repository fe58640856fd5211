"""The Learner: data, a model, a loss and an optimizer, and the loop that brings them together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.artifact import Contents, contents_of_model, write_folder
from vectable.data.tensors import TensorSet, to_tensor
from vectable.errors import UnknownNameError, VectableError, did_you_mean, is_whole, require, warn
from vectable.models.ensemble import Ensemble
from vectable.models.losses import LossFunction, activation_of, compute_loss, trap
from vectable.training.callbacks import Callback
from vectable.training.checkpoints import Checkpoint, as_checkpoint
from vectable.training.data_protocol import Data, NoData
from vectable.training.engines.choice import check_choice, make_engine
from vectable.training.engines.torch_engine import Engine, OptimizerMaker
from vectable.training.fit import Fit
from vectable.training.lr_finder import FoundRates, find_rates
from vectable.training.metrics import Metric, metrics_named
from vectable.training.parameter_groups import (
    A_MOMENTUM,
    LayerGroups,
    Numbers,
    Rates,
    Splitter,
    freeze_to,
    one_a_group,
    parameter_groups,
    spread_rates,
    three_a_group,
)
from vectable.training.presets import preset_named
from vectable.training.progress import Progress
from vectable.training.recorder import Recorder
from vectable.training.saving import contents_of, learner_for_own_module, take_state, tensors_under
from vectable.training.schedules import Schedule, constant_schedule, one_cycle_schedule

if TYPE_CHECKING:
    from rich.console import Console

    from vectable.insight.summary import Summary

HIGHEST_USEFUL_LR = 1.0  # of optimizers that divide by the gradient's size: a weight moves by about lr a step


class Learner:
    """Trains any torch module on any data of whole tensors.

    Args:
        data: `TensorData` for arrays of your own, `RatingsData` for ratings.
        model: a torch module, or an `Ensemble` of several, each trained from its own seed.
        loss_func: (outputs, target) -> scalar; mean squared error by default.
        metrics: names ("rmse", "mae", "accuracy", "roc_auc") or functions (predictions, targets) -> number.
        opt: "adam", "sgd", "momentum", "rmsprop", or a function from parameter groups to a torch optimizer.
        wd: weight decay, a number or one a layer group.
        wd_mode: "decoupled" (as in AdamW) or "l2" (``wd * p`` joins the gradient: the loss gains
            ``wd / 2 * sum(p ** 2)``, half of what the lesson's ``loss + wd * sum(w ** 2)`` adds).
        preset: "modern" or "lesson": the dialect of schedules, epsilon and decay.
        seed: of batch order and dropout; the same seed gives the same numbers, bit for bit.
        device: "cpu", "cuda", ...; by default the GPU when there is one.
        splitter: model -> its layer groups, first layers first, instead of the model's own; a group is a module, or a
            list of modules and parameters. ``lambda net: [net[:4], net[4:]]`` splits an `nn.Sequential`.
        train_bn: whether batch norm in frozen layer groups goes on training. With False it keeps the statistics it has,
            and no gradient flows through the frozen groups.
        callbacks: called between the epochs of every fit.
        engine: "auto", "compiled" (dot-product models on the CPU) or "torch".
        threads: of the compiled engine; the result does not depend on it.
        precision: "fp32", or "bf16" or "fp16": forward passes in 16 bits where that is safe, weights in 32. For devices
            that are faster so; predictions are made in 32 bits.
        accumulate: batches whose gradients make up a step, where larger ones do not fit the memory. The result is that
            of one batch of their rows, but for batch norm, which sees the small ones.
        progress: whether to show it, or the rich console to show it on.
    """

    def __init__(
        self,
        data: Data,
        model: nn.Module,
        loss_func: LossFunction | None = None,
        metrics: Sequence[str | Metric] = (),
        opt: str | OptimizerMaker = "adam",
        *,
        wd: float | Sequence[float] = 0.01,
        wd_mode: str = "decoupled",
        preset: str = "modern",
        seed: int = 42,
        device: str | torch.device | None = None,
        splitter: Splitter | None = None,
        train_bn: bool = True,
        callbacks: Sequence[Callback] = (),
        engine: str = "auto",
        threads: int = 2,
        precision: str = "fp32",
        accumulate: int = 1,
        progress: "bool | Console" = True,
    ) -> None:
        require(is_whole(seed, 0), f"The seed is {seed!r}; it is a whole number, 0 or more.")
        require(is_whole(threads, 1), f"threads is {threads!r}; it is a whole number, 1 or more.")
        check_choice(opt, wd_mode, engine, precision, accumulate)
        self.data = data
        self.device = _device(device)
        self.model = model.to(self.device)
        self.loss_func: LossFunction = loss_func if loss_func is not None else nn.MSELoss()
        self.metrics = metrics_named(metrics)
        self.splitter, self.train_bn, self.frozen = splitter, train_bn, 0
        decays = one_a_group(wd, len(self.layer_groups), "weight decay", "it is a number, 0 or more")
        self.opt, self.wd_mode = opt, wd_mode
        self.wd: float | list[float] = decays.tolist() if np.ndim(wd) else float(decays[0])
        self.preset = preset_named(preset)
        self.seed, self.threads = seed, threads
        self.callbacks = list(callbacks)
        self.engine, self.precision, self.accumulate = engine, precision, accumulate
        self.progress = progress
        self.recorder = Recorder(lambda frame: getattr(self.data, "to_native", _as_it_is)(frame))
        self.epochs_done = 0
        self._engines: list[Engine] = []
        self._saved_optimizer: dict[str, Tensor] = {}  # taken up when training goes on
        self._trained_by: str | None = None
        self._interrupted_at: int | None = None  # epochs done before the fit that Ctrl-C ended
        self._trap_told = False

    # ---------------------------------------------------------------- training

    def fit(
        self,
        n_epoch: int,
        lr: Rates = 3e-3,
        callbacks: Sequence[Callback] = (),
        *,
        mom: float | Sequence[float] = 0.9,
        checkpoint: str | Path | Checkpoint | None = None,
        resume: bool = False,
    ) -> "Learner":
        """Train `n_epoch` epochs at one learning rate.

        Args:
            lr: a number; ``slice(hi)``, which gives the last layer group `hi` and the others a tenth of it (a third
                with the lesson's preset); ``slice(lo, hi)``, equal ratios from the first group to the last; or a list,
                one a group.
            mom: momentum (Adam's first beta), a number or one a group.
            callbacks: called between the epochs of this fit.
            checkpoint: folder in which the fit keeps, every five minutes, what it takes to go on after the process was
                killed; ``Checkpoint(folder, steps=..., minutes=...)`` says how often.
            resume: go on from there and end as if nothing had happened, with the same bits on the CPU; train from the
                beginning where there is no checkpoint yet, and not at all where it is of the finished fit. A script
                that is run again from its start goes on where it was, if each of its fits has a folder of its own.

        Raises:
            TrainingStopped: the loss was not a finite number; the weights are those from before.
        """
        lrs = self._rates(lr)
        moms = one_a_group(mom, len(lrs), "momentum", A_MOMENTUM)
        schedule = partial(constant_schedule, lr=lrs, mom=moms)
        return self._fit(schedule, n_epoch, lrs, callbacks, checkpoint, resume)

    def fit_one_cycle(
        self,
        n_epoch: int,
        lr: Rates = 3e-3,
        callbacks: Sequence[Callback] = (),
        *,
        moms: Sequence[float] | Sequence[Sequence[float]] = (0.95, 0.85, 0.95),
        checkpoint: str | Path | Checkpoint | None = None,
        resume: bool = False,
    ) -> "Learner":
        """Train `n_epoch` epochs with the learning rate rising to `lr` and falling again, momentum the other way.

        Args:
            lr: the highest rate, as for `fit`.
            moms: momentum at the start, at the highest rate and at the end; or three such numbers a layer group.
            callbacks, checkpoint, resume: as for `fit`.

        Raises:
            TrainingStopped: the loss was not a finite number; the weights are those from before.
        """
        lrs = self._rates(lr)
        schedule = partial(one_cycle_schedule, self.preset.cycle, lr_max=lrs, moms=three_a_group(moms, len(lrs)))
        return self._fit(schedule, n_epoch, lrs, callbacks, checkpoint, resume)

    def lr_find(self, start_lr: Rates = 1e-7, end_lr: float = 10.0, num_it: int = 100) -> FoundRates:
        """Train up to `num_it` steps with learning rates growing from `start_lr` to `end_lr`, and leave no trace.

        Stops when the smoothed loss passes four times its best or is not finite. Weights, optimizer and random
        state are afterwards what they were before.

        Args:
            start_lr: as `lr` for `fit`; the layer groups keep its ratios all the way up.
            end_lr: the last rate of the last layer group, which is the one shown.
        """
        return find_rates(self, self._rates(start_lr), end_lr, num_it)

    # ---------------------------------------------------------------- layer groups

    @property
    def layer_groups(self) -> LayerGroups:
        """The model's parameters in groups, from first layers to last; of an ensemble, one member's."""
        model = self.members[0]
        return LayerGroups(parameter_groups(model, self.splitter), model)

    def freeze(self) -> "Learner":
        """Let the last layer group train alone, with the batch norms of the others unless `train_bn` is False."""
        count = len(self.layer_groups)
        require(
            count > 1,
            "The model is one layer group, so there is nothing to freeze. Give the learner splitter=..., a function "
            "from the model to its groups.",
        )
        return self.freeze_to(count - 1)

    def freeze_to(self, n: int) -> "Learner":
        """Let the layer groups from number `n` on train, and freeze those before it; -1 leaves the last alone.

        Momenta of what goes on training are kept, and what is thawed starts with none. (fastai 2 drops all of them; the
        lesson's preset makes a new optimizer every fit.)
        """
        for model in self.members:
            self.frozen = freeze_to(parameter_groups(model, self.splitter), model, n, self.train_bn)
        for engine in self._engines:
            engine.regroup()
        return self

    def unfreeze(self) -> "Learner":
        """Let all layer groups train."""
        return self.freeze_to(0)

    @property
    def members(self) -> list[nn.Module]:
        """The models that are trained: the members of an ensemble, or the one."""
        return list(self.model.members) if isinstance(self.model, Ensemble) else [self.model]

    def _fit(
        self,
        make_schedule: Callable[[int], Schedule],
        n_epoch: int,
        lrs: Numbers,
        callbacks: Sequence[Callback],
        checkpoint: str | Path | Checkpoint | None,
        resume: bool,
    ) -> "Learner":
        require(is_whole(n_epoch, 1), f"The number of epochs is {n_epoch!r}; it is a whole number, 1 or more.")
        kept = as_checkpoint(checkpoint, resume)
        if lrs.max() == 0:
            warn("The learning rate is 0: nothing will be learned.")
        if lrs.max() > HIGHEST_USEFUL_LR and self.opt in ("adam", "rmsprop"):
            told = f"A learning rate of {lrs.max():g} is far beyond what works with {self.opt} (1e-4 to 1e-1 as a rule)"
            warn(f"{told}; lr_find() suggests one.")
        self._check_trap()
        if self.preset.fresh_optimizer:
            self._drop_engines()
        schedule = make_schedule(n_epoch * self.data.n_steps)
        Fit(self, schedule, n_epoch, [*self.callbacks, *callbacks], kept, resume).run()
        return self

    # ---------------------------------------------------------------- measuring and predicting

    def validate(self) -> dict[str, Any]:
        """Loss and metrics on the validation rows; not a number where there are none."""
        return dict(self._measure(self.model))

    def get_preds(self, on: str = "valid") -> tuple[Tensor, Tensor]:
        """Predictions and targets of the validation (or "train") rows, with the activation that belongs to the loss.

        Returns:
            Predictions, (rows, ...): probabilities where the loss is a cross-entropy; and targets, (rows, ...).
        """
        require(on in ("train", "valid"), f"on is {on!r}; it is 'train' or 'valid'.")
        rows = self.data.train if on == "train" else self.data.valid
        return activation_of(self.loss_func)(self._outputs(self.model, rows)), rows.target

    def predict(self, rows: Any) -> Any:
        """Predictions for new rows, with the activation that belongs to the loss.

        Args:
            rows: an array or tensor as the model takes it, (rows, ...), or a tuple of them for several inputs.

        Returns:
            An array, (rows, ...).
        """
        inputs = tuple(to_tensor(one) for one in (rows if isinstance(rows, tuple) else (rows,)))
        outputs = self._outputs(self.model, TensorSet(inputs, torch.zeros(len(inputs[0]))))
        return activation_of(self.loss_func)(outputs).numpy()

    def summary(self) -> "Summary":
        """Every layer with its output's shape and its parameters, measured on one batch."""
        from vectable.insight.summary import summarize

        inputs, _ = self.data.train.batch(slice(0, self.data.batch_size))
        return summarize(self.model, tuple(column.to(self.device) for column in inputs))

    def _measure(self, model: nn.Module) -> dict[str, float]:
        rows = self.data.valid
        if len(rows) == 0:
            return {"valid_loss": float("nan"), **dict.fromkeys(self.metrics, float("nan"))}
        outputs = self._outputs(model, rows)
        loss = compute_loss(self.loss_func, outputs, rows.target, rows.weights).item()
        predicted, target = self._as_given(
            activation_of(self.loss_func)(outputs).cpu().numpy(), rows.target.cpu().numpy()
        )
        return {
            "valid_loss": loss,
            **{name: metric(predicted, target) for name, metric in self.metrics.items()},
        }

    def _as_given(self, predicted: NDArray[Any], target: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Predictions and targets as the metrics take them, for learners whose targets have units of their own."""
        return predicted, target

    def _outputs(self, model: nn.Module, rows: TensorSet) -> Tensor:
        """The model's outputs for all rows, without gradients, in blocks."""
        model.eval()
        with torch.no_grad():
            parts = []
            for first in range(0, max(len(rows), 1), rows.predict_rows):
                inputs, _ = rows.batch(slice(first, first + rows.predict_rows))
                parts.append(model(*(column.to(self.device) for column in inputs)).cpu())
            return torch.cat(parts)

    # ---------------------------------------------------------------- saving

    def save(self, path: str | Path) -> Path:
        """Save weights, optimizer, history and settings as a folder; see `vectable.artifact`."""
        return write_folder(path, self.to_contents())

    def load(self, path: str | Path) -> "Learner":
        """Take weights, optimizer state and history from a folder that a learner of the same shape saved."""
        with contents_of_model(path) as contents:
            self.take_state(contents)
        return self

    def export_onnx(self, path: str | Path) -> Path:
        """Write the path from a row's columns to its prediction as ONNX, for programs without Python.

        Of tables and ratings the encoders go along. Every column is an input of its name, (rows,): text where its
        categories are text, else a 64-bit float, a date as its seconds since 1970; missing is not-a-number, and in
        text "". The outputs are "prediction", as `predict` gives it, and for classes "probabilities". The file's
        metadata tell columns and classes as JSON. Of a module of your own the module goes alone, from the tensors
        that it takes to what `predict` gives.

        Raises:
            VectableError: the packages of ``vectable[export]`` are missing, or torch cannot write the module.
        """
        from vectable.exporting import require_onnx, write_onnx

        require_onnx()
        return write_onnx(self._to_onnx(), path)

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_net

        return model_of_net(self)

    def to_contents(self) -> Contents:
        """Everything a saved folder holds; the model's code and the data are the caller's for a module of your own."""
        return contents_of(self)

    @classmethod
    def from_contents(cls, contents: Contents, model: nn.Module | None = None, **more: Any) -> "Learner":
        """A learner for a module of your own, from a saved folder's contents."""
        return learner_for_own_module(cls, contents, model, **more)

    def take_state(self, contents: Contents) -> None:
        """Take weights, optimizer state, freezing and history from a saved folder's contents."""
        take_state(self, contents)

    def __repr__(self) -> str:
        """Data, model and how much it was trained."""
        epochs = f"{self.epochs_done} {'epoch' if self.epochs_done == 1 else 'epochs'}"
        data = "no data" if isinstance(self.data, NoData) else repr(self.data)
        return f"{type(self).__name__}({data}; {type(self.members[0]).__name__}, trained {epochs})"

    # ---------------------------------------------------------------- inside

    def _rates(self, lr: Rates) -> Numbers:
        """The learning rate of each layer group."""
        return spread_rates(lr, len(self.layer_groups), self.preset.slice_share)

    def _make_engine(self, model: nn.Module) -> Engine:
        groups = parameter_groups(model, self.splitter)
        return make_engine(
            model,
            self.loss_func,
            self.opt,
            groups=groups,
            preset=self.preset,
            wd=self.wd if isinstance(self.wd, list) else [self.wd] * len(groups),
            wd_mode=self.wd_mode,
            precision=self.precision,
            accumulate=self.accumulate,
            engine=self.engine,
            threads=self.threads,
            weighted=self.data.train.weights is not None,
            tell=Progress(self.progress, 0, ()).say,
        )

    def _prepare_engines(self) -> None:
        """One engine a model, with the optimizer's state from the folder it was loaded from, if it was."""
        if self._engines:
            return
        self._engines = [self._make_engine(model) for model in self.members]
        saved, self._saved_optimizer = self._saved_optimizer, {}
        if saved and {engine.name for engine in self._engines} == {self._trained_by}:
            for member, engine in enumerate(self._engines):
                if state := tensors_under(saved, str(member)):
                    engine.load_state(state)
        elif saved:
            told = f"The model was trained by the {self._trained_by} engine; training goes on with a new optimizer."
            warn(told)

    def _drop_engines(self) -> None:
        """Forget the optimizer's state."""
        self._engines, self._saved_optimizer = [], {}

    def _keep_trained_members(self, progress: Progress) -> None:
        """An ensemble that was interrupted keeps the members that were trained: the others know nothing."""
        if not isinstance(self.model, Ensemble):
            return
        trained = sorted({run.member for run in self.recorder.runs})
        if len(trained) < len(self.model.members):
            progress.say(
                f"The ensemble keeps the {len(trained)} of {len(self.model.members)} models that were trained."
            )
            self.model.members = nn.ModuleList(self.model.members[at] for at in trained)
            self._engines = [self._engines[at] for at in trained]

    def _settle(self, engine: Engine) -> None:
        engine.settle()
        fill_unknown = getattr(engine.model, "fill_unknown", None)
        if fill_unknown is not None:
            fill_unknown()

    @contextmanager
    def _seeded(self, *what: int | str) -> Iterator[np.random.Generator]:
        """Random numbers that depend on the seed and on `what` alone; torch's own state is as before, afterwards."""
        numbers = [self.seed, *(part if isinstance(part, int) else sum(part.encode()) for part in what)]
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            rng = np.random.default_rng(numbers)
            seed = int(rng.integers(2**63))
            torch.default_generator.manual_seed(seed)  # torch.manual_seed does the same, and looks at the whole stack
            if devices:
                torch.cuda.manual_seed(seed)
            yield rng

    def _check_trap(self) -> None:
        """Tell once when the model's outputs do not suit the loss."""
        if self._trap_told or len(self.data.train) == 0:
            return
        self._trap_told = True
        inputs, _ = self.data.train.batch(slice(0, self.data.batch_size))
        self.model.eval()
        with torch.no_grad(), self._seeded("trap"):
            told = trap(self.loss_func, self.model(*(column.to(self.device) for column in inputs)))
        if told:
            warn(told)


def check_arguments(application: Callable[..., Any], more: Mapping[str, Any]) -> None:
    """Refuse arguments that neither an application's function nor the `Learner` has.

    Raises:
        UnknownNameError: with the closest names.
    """
    own = [*signature(application).parameters][:-1]  # the last one gathers `more`
    known = [*own, *(name for name in signature(Learner).parameters if name not in (*own, "data", "model"))]
    for name in more:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownNameError(f"{application.__name__} has no argument {name!r}.{hint} It has {', '.join(known)}.")


def _device(name: str | torch.device | None) -> torch.device:
    try:
        return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, TypeError) as problem:
        raise VectableError(f"There is no device {name!r}; use 'cpu', 'cuda' or 'cuda:1'.") from problem


def _as_it_is(frame: Any) -> Any:
    return frame
