"""The Learner: data, a model, a loss and an optimizer, and the verbs that bring them together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import torch
from torch import Tensor, nn

from vectable.artifact import Contents, contents_of_model
from vectable.data.tensors import Inputs, to_tensor
from vectable.deprecation import renamed_arguments
from vectable.errors import ArtifactError, UnknownNameError, did_you_mean, is_whole, require, warn
from vectable.models.losses import LossFunction, activation_of, loss_mismatch, name_of_loss
from vectable.serving_folder import SERVING
from vectable.training.attributes import FromSession, Option
from vectable.training.checkpoints import Checkpoint, as_checkpoint
from vectable.training.data_protocol import Data, NoData
from vectable.training.fit import Fit
from vectable.training.hooks import Callback, with_new_hooks
from vectable.training.lr_finder import FoundRates, find_rates
from vectable.training.metrics import METRICS, Metric
from vectable.training.options import OptimizerMaker, OptionArguments, TrainingOptions
from vectable.training.parameter_groups import (
    A_MOMENTUM,
    LayerGroups,
    Numbers,
    Rates,
    Splitter,
    one_a_group,
    spread_rates,
    three_a_group,
)
from vectable.training.presets import Preset
from vectable.training.progress import Progress
from vectable.training.progress_display import ProgressDisplay
from vectable.training.recorder import Recorder
from vectable.training.saved_as_folder import SavedAsFolder, needs_training_data
from vectable.training.saved_state import SETTINGS
from vectable.training.saving import contents_of, saved_options, take_state
from vectable.training.schedules import Schedule, constant_schedule, one_cycle_schedule
from vectable.training.session import TrainingSession
from vectable.training.threads import threads_for

if TYPE_CHECKING:
    from rich.console import Console

    from vectable.insight.summary import Summary

HIGHEST_USEFUL_LR = 1.0  # for optimizers that divide by the gradient's size: a weight moves by about lr per step


class Learner(SavedAsFolder):  # noqa: PLR0904 - the reason stands below
    """Trains any torch module on any data of whole tensors.

    It has more than a dozen methods because it is the one face of training: four verbs of training, three of freezing,
    four questions, and five for folders, which applications extend. What they work on is the `session`.

    Args:
        data: `TensorData` for custom arrays, `RatingsData` for ratings.
        model: a torch module, or an `Ensemble` of several, each trained from its own seed.
        loss_func: (outputs, target) -> scalar; mean squared error by default.
        metrics: names ("rmse", "mae", "accuracy", "roc_auc") or functions (predictions, targets) -> number.
        opt: "adam", "sgd", "momentum", "rmsprop", or a function from parameter groups to a torch optimizer.
        device: "cpu", "cuda", ...; by default the GPU when there is one.
        splitter: model -> its layer groups, first layers first, instead of the model's own; a group is a module, or a
            list of modules and parameters. ``lambda net: [net[:4], net[4:]]`` splits an `nn.Sequential`.
        callbacks: called at the events of every fit.
        progress: whether to show it, or the rich console to show it on.
        options: wd, wd_mode, preset, seed, engine, threads, train_bn, precision, accumulate; see `TrainingOptions`.

    Attributes:
        session: models, options, engines, recorder and position of training.
        model: the module, or the `Ensemble`.
        members: the models that are trained: the members of an ensemble, or the one.
        layer_groups: the parameters in groups, from first layers to last; in an ensemble, those of one member.
        recorder: what happened in training, with its plots.
        epochs_done: epochs trained, over all fits.
        frozen: number of frozen layer groups.
        callbacks: as given; may be changed between fits.
        progress: as given.

    Examples:
        >>> import torch, vectable as vt
        >>> _ = torch.manual_seed(0)
        >>> x = torch.linspace(-1, 1, 200)[:, None]
        >>> data = vt.TensorData.from_arrays(x[::2], 2 * x[::2] + 1, x[1::2], 2 * x[1::2] + 1)
        >>> learn = vt.Learner(data, torch.nn.Linear(1, 1), torch.nn.MSELoss(), progress=False)
        >>> _ = learn.fit_one_cycle(100, 0.05)
        >>> learn.validate()["valid_loss"] < 0.01
        True
    """

    members, layer_groups = FromSession[list[nn.Module]](), FromSession[LayerGroups]()
    loss_func, device = FromSession[LossFunction](), FromSession[torch.device]()
    recorder = FromSession[Recorder]()
    epochs_done, frozen = FromSession[int](), FromSession[int]()
    opt = Option[str | OptimizerMaker]()
    wd = Option[float | tuple[float, ...]]()
    wd_mode, engine, precision = Option[str](), Option[str](), Option[str]()
    seed, accumulate = Option[int](), Option[int]()
    threads = Option[int | None]()
    train_bn = Option[bool]()

    def __init__(
        self,
        data: Data,
        model: nn.Module,
        loss_func: LossFunction | None = None,
        metrics: str | Metric | Sequence[str | Metric] = (),
        opt: str | OptimizerMaker = "adam",
        *,
        device: str | torch.device | None = None,
        splitter: Splitter | None = None,
        callbacks: Sequence[Callback] = (),
        progress: "bool | Console" = True,
        **options: Unpack[OptionArguments],
    ) -> None:
        loss: LossFunction = loss_func if loss_func is not None else nn.MSELoss()
        chosen = TrainingOptions.of(metrics, opt, options)
        self.callbacks, self.progress = list(callbacks), progress
        self.session = TrainingSession(data, model, loss, chosen, device=device, splitter=splitter, report=self._report)
        self._loss_checked = False

    # ---------------------------------------------------------------- training

    @renamed_arguments(n_epoch="n_epochs")
    def fit(
        self,
        n_epochs: int,
        lr: Rates = 3e-3,
        callbacks: Sequence[Callback] = (),
        *,
        mom: float | Sequence[float] = 0.9,
        checkpoint: str | Path | Checkpoint | None = None,
        resume: bool = False,
    ) -> "Learner":
        """Train `n_epochs` epochs at one learning rate.

        Args:
            lr: a number; ``slice(hi)``, which gives the last layer group `hi` and the others a tenth of it (a third
                with the lesson's preset); ``slice(lo, hi)``, equal ratios from the first group to the last; or a list,
                one per group.
            mom: momentum (Adam's first beta), a number or one per group.
            callbacks: called at the events of this fit.
            checkpoint: folder in which the fit keeps, every few seconds and when it is stopped, what it takes to
                continue after the process was killed; ``Checkpoint(folder, steps=..., seconds=...)`` sets how often.
            resume: continue from there and end as if nothing had happened, with the same bits on the CPU; train from
                the beginning where there is no checkpoint yet, and not at all where it is of the finished fit. A script
                that is run again from its start continues where it was, if each of its fits has a folder of its own.

        Ctrl-C, and SIGTERM where the program has no handler for it, end the fit after the step under way: it returns
        with what was trained until then (``recorder.interrupted``). After SIGTERM the program may save that; then the
        process ends by the signal, and no further fit begins.

        Raises:
            NonFiniteLossError: the loss was not a finite number; the weights are those from before.
            ArtifactError: a checkpoint cannot be written; what was trained until then is kept.
        """
        lrs = self._rates(lr)
        moms = one_a_group(mom, len(lrs), "momentum", A_MOMENTUM)
        schedule = partial(constant_schedule, lr=lrs, mom=moms)
        return self._fit(schedule, n_epochs, lrs, callbacks, checkpoint, resume)

    @renamed_arguments(n_epoch="n_epochs")
    def fit_one_cycle(
        self,
        n_epochs: int,
        lr: Rates = 3e-3,
        callbacks: Sequence[Callback] = (),
        *,
        moms: Sequence[float] | Sequence[Sequence[float]] = (0.95, 0.85, 0.95),
        checkpoint: str | Path | Checkpoint | None = None,
        resume: bool = False,
    ) -> "Learner":
        """Train `n_epochs` epochs with the learning rate rising to `lr` and falling again, momentum the other way.

        Args:
            lr: the highest rate, as for `fit`.
            moms: momentum at the start, at the highest rate and at the end; or three such numbers per layer group.
            callbacks, checkpoint, resume: as for `fit`.

        Raises:
            NonFiniteLossError: the loss was not a finite number; the weights are those from before.
        """
        lrs = self._rates(lr)
        schedule = partial(one_cycle_schedule, self.preset.cycle, lr_max=lrs, moms=three_a_group(moms, len(lrs)))
        return self._fit(schedule, n_epochs, lrs, callbacks, checkpoint, resume)

    @needs_training_data
    def lr_find(
        self, start_lr: Rates = 1e-7, end_lr: float = 10.0, num_it: int = 100, callbacks: Sequence[Callback] = ()
    ) -> FoundRates:
        """Train up to `num_it` steps with learning rates growing from `start_lr` to `end_lr`, and leave no trace.

        Stops when the smoothed loss passes four times its best or is not finite. Weights, optimizer and random
        state are afterwards what they were before, also when it fails or is interrupted.

        Args:
            start_lr: as `lr` for `fit`; the layer groups keep its ratios all the way up.
            end_lr: the last rate of the last layer group, which is the one shown.
            callbacks: hear of its steps; the learner's own do not.
        """
        with ProgressDisplay(self.progress) as display:
            return find_rates(self.session, self._rates(start_lr), end_lr, num_it, [display, *callbacks])

    # ---------------------------------------------------------------- layer groups

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
        """Let the layer groups from number `n` on train, and freeze those before it; -1 leaves only the last.

        Momenta of what continues to train are kept, and what is unfrozen starts with none. (fastai 2 drops all of them;
        the lesson's preset makes a new optimizer for every fit.)
        """
        self.session.freeze_to(n)
        return self

    def unfreeze(self) -> "Learner":
        """Let all layer groups train."""
        return self.freeze_to(0)

    # ---------------------------------------------------------------- measuring and predicting

    @needs_training_data
    def validate(self) -> dict[str, Any]:
        """Loss and metrics on the validation rows; not a number where there are none."""
        return dict(self.session.measure(self.model))

    @needs_training_data
    def get_preds(self, on: str = "valid") -> tuple[Tensor, Tensor]:
        """Predictions and targets of the validation (or "train") rows, with the activation that belongs to the loss.

        Returns:
            Predictions, (rows, ...): probabilities where the loss is a cross-entropy; and targets, (rows, ...).
        """
        require(on in ("train", "valid"), f"on must be 'train' or 'valid'; got {on!r}.")
        rows = self.data.train if on == "train" else self.data.valid
        return activation_of(self.loss_func)(self.session.outputs(self.model, rows)), rows.target

    def predict(self, rows: Any) -> Any:
        """Predictions for new rows, with the activation that belongs to the loss.

        Args:
            rows: an array or tensor as the model takes it, (rows, ...), or a tuple of them for several inputs.

        Returns:
            An array, (rows, ...).
        """
        inputs = Inputs(tuple(to_tensor(one) for one in (rows if isinstance(rows, tuple) else (rows,))))
        return activation_of(self.loss_func)(self.session.outputs(self.model, inputs)).numpy()

    def summary(self) -> "Summary":
        """Every layer with its output's shape and its parameters, measured on one batch."""
        from vectable.insight.summary import summarize

        return summarize(self.model, self._first_inputs())

    # ---------------------------------------------------------------- saving

    def load(self, path: str | Path) -> "Learner":
        """Take weights, optimizer state and history from a folder that a learner of the same shape saved."""
        with contents_of_model(path) as contents:
            if contents.settings.get(SERVING):
                raise ArtifactError(f"{str(path)!r} is a serving folder, which holds no optimizer: use load_learner.")
            self.take_state(contents)
        return self

    def export_onnx(self, path: str | Path) -> Path:
        """Write the path from a row's columns to its prediction as ONNX, for programs without Python.

        For tables and ratings the encoders are part of it. Every column is an input of its name, (rows,): text where
        its categories are text, else a 64-bit float, a date as its seconds since 1970; missing is not-a-number, and in
        text "". The outputs are "prediction", as `predict` gives it, and for classes "probabilities". The file's
        metadata describe columns and classes as JSON. A custom module is written alone, from the tensors that it takes
        to what `predict` gives.

        Raises:
            VectableError: the packages of ``vectable[export]`` are missing, or torch cannot write the module.
        """
        from vectable.exporting import require_onnx, write_onnx

        require_onnx()
        return write_onnx(self._to_onnx(), path)

    def to_contents(self) -> Contents:
        """Everything a saved folder holds; of a custom module, its code and the data are the caller's."""
        return contents_of(self.session)

    @classmethod
    def from_contents(cls, contents: Contents, model: nn.Module | None = None, **more: Any) -> "Learner":
        """A learner for a custom module, from a saved folder's contents."""
        if model is None:
            name = SETTINGS(contents.settings, "settings")["model"]
            raise ArtifactError(
                f"This folder holds the weights of a custom module ({name}), and no code: make one "
                f"and hand it in, load_learner(path, model={name}(...))."
            )
        options = saved_options(contents.settings, more)
        learn = cls(options.pop("data", NoData()), model, **options)
        learn.take_state(contents)
        return learn

    def take_state(self, contents: Contents) -> None:
        """Take weights, optimizer state, freezing and history from a saved folder's contents."""
        take_state(self.session, contents)

    # ---------------------------------------------------------------- what stands in the session

    @property
    def data(self) -> Any:
        """What the model is trained and measured on; other data may take its place if the model fits them.

        Raises:
            VectableError: on setting data that the model does not fit, in the applications.
        """
        return self.session.data

    @data.setter
    def data(self, data: Any) -> None:
        self._check_data(data)
        self.session.data = data
        self._forget_answers()

    @property
    def model(self) -> Any:
        """The module, or the `Ensemble`."""
        return self.session.model

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics by name."""
        return self.session.options.metrics_by_name

    @property
    def preset(self) -> Preset:
        """The dialect that training follows."""
        return self.session.options.dialect

    def __repr__(self) -> str:
        """Data, model and how much it was trained."""
        epochs = f"{self.epochs_done} {'epoch' if self.epochs_done == 1 else 'epochs'}"
        data = "no data" if isinstance(self.data, NoData) else repr(self.data)
        return f"{type(self).__name__}({data}; {type(self.members[0]).__name__}, trained {epochs})"

    # ---------------------------------------------------------------- what applications extend

    def _beside_contents(self) -> dict[str, Any]:
        """What no folder holds: a custom module with its data, and functions."""
        more: dict[str, Any] = super()._beside_contents() | {"splitter": self.session.splitter}
        if type(self) is Learner:
            more |= {"model": self.model, "data": self.data}
        if name_of_loss(self.loss_func) is None:
            more["loss_func"] = self.loss_func
        if callable(self.opt):
            more["opt"] = self.opt
        if any(name not in METRICS for name in self.metrics):
            more["metrics"] = self.session.options.metrics
        return more

    @needs_training_data
    def _fit(
        self,
        make_schedule: Callable[[int], Schedule],
        n_epochs: int,
        lrs: Numbers,
        callbacks: Sequence[Callback],
        checkpoint: str | Path | Checkpoint | None,
        resume: bool,
    ) -> "Learner":
        require(is_whole(n_epochs, 1), f"The number of epochs must be a positive integer; got {n_epochs!r}.")
        keep = as_checkpoint(checkpoint, resume)
        self._check_rates(lrs)
        self._check_loss()
        if self.preset.fresh_optimizer:
            self.session.drop_engines()
        schedule = make_schedule(n_epochs * self.data.n_steps)
        listeners = [with_new_hooks(one, self) for one in (*self.callbacks, *callbacks)]
        try:
            with ProgressDisplay(self.progress) as display:
                Fit(self.session, schedule, n_epochs, listeners, display, keep, resume).run()
        finally:
            self._forget_answers()
        return self

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_net

        return model_of_net(self.model, activation_of(self.loss_func), self.data.train)

    def _check_data(self, data: Any) -> None:
        """Raise a `VectableError` for data that the model cannot be trained or measured on."""

    def _forget_answers(self) -> None:
        """The weights or the data have changed: forget what was computed from them."""

    # ---------------------------------------------------------------- inside

    def _rates(self, lr: Rates) -> Numbers:
        """The learning rate of each layer group."""
        return spread_rates(lr, len(self.layer_groups), self.preset.slice_share)

    def _report(self, message: str) -> None:
        Progress(self.progress, 0, ()).say(message)

    def _first_inputs(self) -> tuple[Tensor, ...]:
        inputs = self.data.train.inputs_of(slice(0, self.data.batch_size))
        return tuple(column.to(self.device) for column in inputs)

    def _check_rates(self, lrs: Numbers) -> None:
        if lrs.max() == 0:
            warn("The learning rate is 0: nothing will be learned.")
        if lrs.max() > HIGHEST_USEFUL_LR and self.opt in ("adam", "rmsprop"):
            far = f"A learning rate of {lrs.max():g} is far beyond what works with {self.opt} (1e-4 to 1e-1 as a rule)"
            warn(f"{far}; lr_find() suggests one.")

    def _check_loss(self) -> None:
        """Warn once where the model's outputs do not suit the loss."""
        if self._loss_checked or len(self.data.train) == 0:
            return
        self._loss_checked = True
        self.model.eval()
        with torch.no_grad(), threads_for(self.members[0], self.device, self.threads), self.session.seeded("trap"):
            mismatch = loss_mismatch(self.loss_func, self.model(*self._first_inputs()))
        if mismatch:
            warn(mismatch)


def check_arguments(application: Callable[..., Any], more: Mapping[str, Any]) -> None:
    """Refuse arguments that neither an application's function nor the `Learner` has.

    Raises:
        UnknownNameError: with the closest names.
    """
    own = [*signature(application).parameters][:-1]  # the last one gathers `more`
    named = [*signature(Learner).parameters][2:-1]  # after data and model; the last one gathers the options
    known = [*own, *(name for name in (*named, *OptionArguments.__annotations__) if name not in own)]
    for name in more:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownNameError(f"{application.__name__} has no argument {name!r}.{hint} It has {', '.join(known)}.")
