"""The engine that trains any torch module: the plain loop of batch, loss, gradients and step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.batches import BatchPlan, Rows
from vectable.data.tensors import TensorSet
from vectable.errors import require
from vectable.models.losses import compute_loss
from vectable.training.data_protocol import Data
from vectable.training.engines.job import Job
from vectable.training.named_tensors import tensors_under
from vectable.training.options import PRECISIONS
from vectable.training.parameter_groups import BATCH_NORM, resting_norms
from vectable.training.saved_state import check_state
from vectable.training.schedules import Schedule

HALF_PRECISION = (torch.bfloat16, torch.float16)
NORMALIZATION = (BATCH_NORM, nn.LayerNorm, nn.GroupNorm)


class TorchEngine:
    """Any module, any loss, any optimizer from torch, on any device: the plain loop.

    Weight decay is decoupled (``p *= 1 - lr * wd`` before the step, as in AdamW, arXiv 1711.05101) or "l2" (``wd * p``
    joins the gradient). In 16 bits the forward passes run where that is safe (torch's autocast), weights stay in 32;
    with "fp16" the loss is scaled, so that small gradients are not lost (arXiv 1710.03740).

    Args:
        job: the model, its loss and its options.
    """

    name = "torch"
    state_format = "torch"
    in_place = True

    def __init__(self, job: Job) -> None:
        self.model, self.loss_func = job.model, job.loss_func
        self.groups, self.wd, self.preset = job.groups, job.wd, job.options.dialect
        self.opt, self.wd_mode = job.options.opt, job.options.wd_mode
        self.precision, self.accumulate = job.options.precision, job.options.accumulate
        self._start_optimizer()

    @classmethod
    def why_not(cls, job: Job) -> str | None:
        """It trains everything."""
        return None

    @classmethod
    def make(cls, job: Job, report: Callable[[str], None]) -> Self:
        """An engine for any job."""
        return cls(job)

    def begin(self, schedule: Schedule) -> None:
        """Start a fit. An interrupt may have left a gradient behind."""
        self.optimizer.zero_grad()
        self.schedule, self.step, self.gathering = schedule, 0, False

    def batches(self, data: Data, rng: np.random.Generator) -> BatchPlan:
        """The data's own."""
        return data.plan(rng)

    def run(
        self, plan: BatchPlan, rows: TensorSet, first: int = 0, most: int | None = None
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """The training loop: a batch, its loss, its gradients, a step."""
        self.model.train()
        for norm in resting_norms(self.model):
            norm.eval()
        for at, batch in enumerate(islice(plan, first, None), first):
            inputs, target = rows.batch(batch)
            with flushing_denormals(), _frozen_statistics(self.model, when=len(batch) == 1):
                with self._autocast(target.device):
                    outputs = self.model(*inputs)
                loss = compute_loss(self.loss_func, _in_32_bits(outputs), target, rows.weights_of(batch))
                self._scaled(loss, plan, at, rows).backward()
                self.gathering = (at + 1) % self.accumulate != 0 and at + 1 < len(plan)
                if not self.gathering:
                    self._update(self.schedule.lrs[self.step].tolist(), self.schedule.moms[self.step].tolist())
            self.step += 1
            yield np.array([loss.item()])

    def sync_weights(self) -> None:
        """Nothing to do: every step changes the module itself."""

    def regroup(self) -> None:
        """A new optimizer, with the moments that the last one had of what still trains."""
        kept = self.state()
        self._start_optimizer()
        self.load_state(kept)

    def state(self) -> dict[str, Tensor]:
        """Moments and step counts as ``<name of the parameter>.<name>``."""
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        return {f"{names[id(parameter)]}.{name}": torch.as_tensor(value)
                for parameter, held in self.optimizer.state.items() for name, value in held.items()
                if value is not None}  # fmt: skip

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up the state of all parameters that train; rows that a table has gained start with empty moments."""
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        numbers = {names[id(parameter)]: at for at, parameter in enumerate(parameters)}
        held: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            parameter, _, name = key.rpartition(".")
            if parameter in numbers:
                at = numbers[parameter]
                held.setdefault(at, {})[name] = _laid_out_as(parameters[at], _lengthened(value, parameters[at]))
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": held})

    def snapshot(self) -> dict[str, Tensor] | None:
        """The optimizer's state, and the scale of the loss; None between two batches of one step."""
        if self.gathering:
            return None
        scale = {f"scaler.{name}": torch.tensor(value) for name, value in self.scaler.state_dict().items()}
        return {f"optimizer.{name}": value for name, value in self.state().items()} | scale

    def restore(self, schedule: Schedule, snapshot: dict[str, Tensor], n_steps: int) -> None:
        """Continue with that state."""
        self.begin(schedule)
        state = tensors_under(snapshot, "optimizer")
        if isinstance(self.opt, str):
            check_state(state, self.model, self.opt)
        self.load_state(state)
        if scale := tensors_under(snapshot, "scaler"):
            self.scaler.load_state_dict({name: value.item() for name, value in scale.items()})
        self.step = n_steps

    def _start_optimizer(self) -> None:
        """A new optimizer for the parameters that are not frozen."""
        plain = set() if self.preset.decay_everything else without_decay(self.model)
        trained = [[one for one in group if one.requires_grad] for group in self.groups]
        require(any(trained), "Nothing in the model can be trained: it has no parameters, or all are frozen.")
        self.decaying = [[one for one in group if id(one) not in plain] for group in trained]
        kept = [[one for one in group if id(one) in plain] for group in trained]
        parts = [*zip(self.decaying, self.wd, strict=True), *((group, 0.0) for group in kept)]
        l2 = self.wd_mode == "l2"
        self.optimizer = self._make_optimizer(
            [{"params": part, "weight_decay": wd if l2 else 0.0} for part, wd in parts if part]
        )
        layer = {id(one): at for at, group in enumerate(trained) for one in group}
        self.layers = [layer[id(group["params"][0])] for group in self.optimizer.param_groups]
        device = next(one for group in trained for one in group).device.type
        self.scaler = torch.amp.GradScaler(device, enabled=self.precision == "fp16")

    def _make_optimizer(self, groups: Any) -> torch.optim.Optimizer:
        if callable(self.opt):
            return self.opt(groups)
        if self.opt == "adam":
            # Fused: one call for all parameters; on small batches the step takes a third of the time.
            return torch.optim.Adam(groups, lr=0.0, betas=(0.9, 0.99), eps=self.preset.eps, fused=True)
        if self.opt == "rmsprop":
            return torch.optim.RMSprop(groups, lr=0.0, alpha=0.99, eps=self.preset.eps)
        return torch.optim.SGD(groups, lr=0.0, momentum=0.9 if self.opt == "momentum" else 0.0)

    @torch.no_grad()
    def _update(self, lrs: Sequence[float], moms: Sequence[float]) -> None:
        """A step with each layer group's learning rate and momentum."""
        for layer, group in zip(self.layers, self.optimizer.param_groups, strict=True):
            group["lr"] = lrs[layer]
            if "betas" in group:
                group["betas"] = (moms[layer], group["betas"][1])
            elif group.get("momentum"):
                group["momentum"] = moms[layer]
        if self.wd_mode == "decoupled":
            for lr, wd, decaying in zip(lrs, self.wd, self.decaying, strict=True):
                for parameter in decaying if wd else []:
                    if parameter.grad is not None:
                        parameter.mul_(1 - lr * wd)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()

    def _autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(device.type, PRECISIONS[self.precision])

    def _scaled(self, loss: Tensor, plan: BatchPlan, at: int, rows: TensorSet) -> Any:
        """The loss as its gradient counts: by the batch's share of the rows that make up a step, and by the scale."""
        if self.accumulate > 1:
            first = at - at % self.accumulate
            together = [_weight(rows, batch) for batch in islice(plan, first, first + self.accumulate)]
            loss = loss * (together[at - first] / sum(together))
        return self.scaler.scale(loss)


def _in_32_bits(outputs: Any) -> Any:
    return outputs.float() if isinstance(outputs, Tensor) and outputs.dtype in HALF_PRECISION else outputs


def _weight(rows: TensorSet, some: Rows) -> float:
    weights = rows.weights_of(some)
    return float(len(some)) if weights is None else float(weights.sum())


@contextmanager
def flushing_denormals() -> Iterator[None]:
    """Numbers below 1e-38 count as 0: moments without gradient decay to there, and processors crawl on them."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _lengthened(value: Tensor, parameter: Tensor) -> Tensor:
    """A parameter's moment with zeros for the rows that it lacks; step counts as they are."""
    missing = parameter.shape[0] - value.shape[0] if value.shape[1:] == parameter.shape[1:] and value.ndim else 0
    return torch.cat([value, value.new_zeros((missing, *value.shape[1:]))]) if missing else value


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """A parameter's moment in the parameter's own order in memory, as torch makes it; step counts as they are.

    A folder keeps every tensor row by row, and a convolution's weights may lie channel by channel: the fused Adam goes
    through memory, and would take one weight's moment for another's.
    """
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value) if value.shape == parameter.shape else value


def without_decay(model: nn.Module) -> set[int]:
    """The parameters, by their `id`, that do not decay unless everything does: biases and normalization."""
    return {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if name == "bias" or isinstance(module, NORMALIZATION)
    }


class _frozen_statistics:  # noqa: N801 - used as a with-statement
    """Batch norm cannot take statistics of one row: for such a batch it uses those it has."""

    def __init__(self, model: nn.Module, when: bool) -> None:
        norms = model.modules() if when else []
        self.norms = [one for one in norms if isinstance(one, BATCH_NORM) and one.training]

    def __enter__(self) -> None:
        for norm in self.norms:
            norm.eval()

    def __exit__(self, *_: object) -> None:
        for norm in self.norms:
            norm.train()
