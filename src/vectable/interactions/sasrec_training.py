"""Training SASRec: batches, early stopping on the validation part, and a checkpoint after every epoch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.artifact import MANIFEST, Contents, check_target, read_folder, write_folder
from vectable.errors import VectableError, require
from vectable.factorising.sparse_rows import SparseRows
from vectable.models.sasrec import SASRec, gbce, sampled_scores, sampled_softmax

CHECKPOINT = "sasrec checkpoint"


@dataclass(frozen=True)
class SASRecOptions:
    """What decides a fit.

    Attributes:
        width: numbers an item.
        n_blocks, n_heads: layers of attention, and heads of each.
        max_length: items of a history that are looked at, the last ones.
        dropout: share of the activations that training leaves out.
        epochs: at most.
        patience: epochs without a better validation after which training ends.
        lr: learning rate of Adam.
        batch_size: users.
        negatives: items drawn a batch.
        loss: "sampled_softmax" or "gbce".
        device: "cpu", "cuda", ...; by default the GPU when there is one, and there in mixed precision.
        seed: of weights, batches, negatives and dropout.
        checkpoint: folder from which an interrupted fit continues, bit for bit on a CPU; None keeps nothing.
    """

    width: int = 64
    n_blocks: int = 2
    n_heads: int = 2
    max_length: int = 50
    dropout: float = 0.2
    epochs: int = 200
    patience: int = 10
    lr: float = 1e-3
    batch_size: int = 32
    negatives: int = 256
    loss: Literal["sampled_softmax", "gbce"] = "sampled_softmax"
    device: str | None = None
    seed: int = 42
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        for name in ("width", "n_blocks", "n_heads", "max_length", "epochs", "patience", "batch_size", "negatives"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, f"sasrec: {name} must be a whole number from 1 on; got {value!r}.")
        small = self.width <= 8192 and self.n_blocks <= 128 and self.max_length <= 100_000
        require(small, "sasrec: at most 8,192 wide, 128 blocks and 100,000 places.")
        require(self.width % self.n_heads == 0, f"sasrec: width {self.width} must be a multiple of n_heads.")
        require(0 <= self.dropout < 1, f"sasrec: dropout must be in [0, 1); got {self.dropout!r}.")
        require(self.lr > 0, f"sasrec: lr must be above 0; got {self.lr!r}.")
        known = self.loss in ("sampled_softmax", "gbce")
        require(known, f"sasrec: loss must be 'sampled_softmax' or 'gbce'; got {self.loss!r}.")

    @classmethod
    def of(cls, changes: Any) -> "SASRecOptions":
        """The defaults with changes.

        Raises:
            VectableError: an option that there is not, or a value out of range.
        """
        names = [one.name for one in fields(cls)]
        wrong = [name for name in changes if name not in names]
        require(not wrong, f"sasrec has no option {', '.join(map(repr, wrong))}; it has {', '.join(names)}.")
        if changes.get("checkpoint") is not None:
            changes = {**changes, "checkpoint": str(changes["checkpoint"])}
        return cls(**changes)


@dataclass
class Position:
    """Where a fit stands.

    Attributes:
        epoch: epochs done.
        best_epoch, best: the best of them, and its figure; without validation the last.
        curve: the figure of each.
    """

    epoch: int = 0
    best_epoch: int = 0
    best: float = -np.inf
    curve: tuple[float, ...] = ()


def new_net(n_items: int, options: SASRecOptions) -> SASRec:
    """A net for so many items, not yet trained."""
    shape = (n_items, options.width, options.n_blocks, options.n_heads, options.max_length)
    return SASRec(*shape, options.dropout)


def train(
    histories: SparseRows,
    options: SASRecOptions,
    validate: Callable[[SASRec], float] | None,
    on_epoch: Callable[[int, float | None], None] | None = None,
) -> tuple[SASRec, Position]:
    """The net with the best validation, and how training went.

    Ctrl-C ends training with what there is.

    Args:
        histories: of every user, the latest last.
        validate: the figure to make large; without it all epochs are trained and the last is kept.
        on_epoch: called after each epoch with its number and its figure.
    """
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        net = new_net(histories.n_columns, options).to(device)
    optimizer = torch.optim.Adam(net.parameters(), options.lr, betas=(0.9, 0.98))
    best, at = _state(net), Position()
    if options.checkpoint is not None:
        check_target(options.checkpoint)
        if (Path(options.checkpoint) / MANIFEST).exists():
            best, at = _resume(options, net, optimizer)
    users = np.flatnonzero(histories.lengths > 1)
    try:
        while len(users) and at.epoch < options.epochs and at.epoch - at.best_epoch < options.patience:
            _epoch(net, optimizer, histories, options, at.epoch)
            at.epoch += 1
            figure = None if validate is None else validate(net.eval())
            at.curve += () if figure is None else (figure,)
            if figure is None or figure > at.best:
                best, at.best_epoch, at.best = _state(net), at.epoch, -np.inf if figure is None else figure
            if options.checkpoint is not None:
                _keep(options, net, optimizer, best, at)
            if on_epoch is not None:
                on_epoch(at.epoch, figure)
    except KeyboardInterrupt:
        pass
    net.load_state_dict(best)
    return net.eval(), at


def padded(histories: SparseRows, users: NDArray[Any], most: int) -> Tensor:
    """The last `most` items of some users, filled with 0 at the end, (users, places)."""
    lengths = np.minimum(histories.lengths[users], most)
    rows = np.zeros((len(users), max(int(lengths.max(initial=1)), 1)), dtype=np.int64)
    for row, (user, length) in enumerate(zip(users, lengths, strict=True)):
        end = histories.starts[user + 1]
        rows[row, :length] = histories.columns[end - length : end]
    return torch.from_numpy(rows)


def _epoch(
    net: SASRec,
    optimizer: torch.optim.Optimizer,
    histories: SparseRows,
    options: SASRecOptions,
    epoch: int,
) -> None:
    """One pass over all users, in an order that the seed and the number of the epoch decide."""
    device = net.items.weight.device
    rng = np.random.default_rng([options.seed, epoch])
    order = rng.permutation(np.flatnonzero(histories.lengths > 1))
    shown = np.flatnonzero(np.bincount(histories.columns, minlength=histories.n_columns) > 0)
    share = min(options.negatives / max(len(shown) - 1, 1), 1.0)
    net.train()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(rng.integers(2**62)))
        for first in range(0, len(order), options.batch_size):
            rows = padded(histories, order[first : first + options.batch_size], options.max_length + 1).to(device)
            came = rows[:, 1:] > 0
            negatives = torch.from_numpy(rng.choice(shown, options.negatives)).to(device)
            with torch.autocast(device.type, enabled=device.type == "cuda"):
                scores = sampled_scores(net, net(rows[:, :-1])[came], rows[:, 1:][came], negatives)
                loss = sampled_softmax(*scores) if options.loss == "sampled_softmax" else gbce(*scores, share)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()


def _state(net: SASRec) -> dict[str, Tensor]:
    return {name: one.detach().to("cpu", copy=True).contiguous() for name, one in net.state_dict().items()}


def _same_fit(options: SASRecOptions) -> dict[str, Any]:
    """What must be the same to go on."""
    free = ("epochs", "patience", "device", "checkpoint")
    return {name: value for name, value in asdict(options).items() if name not in free}


def _keep(
    options: SASRecOptions, net: SASRec, optimizer: torch.optim.Optimizer, best: dict[str, Tensor], at: Position
) -> None:
    state = {
        f"{number}.{name}": one.detach().cpu().contiguous()
        for number, held in optimizer.state_dict()["state"].items()
        for name, one in held.items()
    }
    settings = {"options": _same_fit(options), "epoch": at.epoch, "best_epoch": at.best_epoch, "curve": list(at.curve)}
    tensors = {"weights": _state(net), "optimizer": state, "best": best}
    assert options.checkpoint is not None
    write_folder(options.checkpoint, Contents(CHECKPOINT, settings, tensors, {}))


def _resume(
    options: SASRecOptions, net: SASRec, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], Position]:
    found = read_folder(str(options.checkpoint))
    require(
        found.kind == CHECKPOINT and found.settings.get("options") == _same_fit(options),
        f"{options.checkpoint!r} holds something else than a checkpoint of this fit: name another folder.",
    )
    try:
        net.load_state_dict(found.tensors["weights"])
    except RuntimeError as error:
        raise VectableError(f"{options.checkpoint!r} holds a checkpoint of other data: name another folder.") from error
    held: dict[int, dict[str, Tensor]] = {}
    for name, one in found.tensors["optimizer"].items():
        number, _, what = name.partition(".")
        held.setdefault(int(number), {})[what] = one
    optimizer.load_state_dict({**optimizer.state_dict(), "state": held})
    curve = tuple(found.settings["curve"])
    best = max(curve, default=-np.inf)
    return found.tensors["best"], Position(found.settings["epoch"], found.settings["best_epoch"], best, curve)
