"""What belongs to a loss: the activation that turns outputs into predictions, and the targets and outputs it takes."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vectable.errors import VectableError

LossFunction = Callable[[Tensor, Tensor], Any]

CLASS_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)
BINARY_LOSSES = (nn.BCEWithLogitsLoss, nn.BCELoss)
REGRESSION_LOSSES = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
LOSSES: dict[str, Callable[[], LossFunction]] = {
    kind.__name__: kind for kind in CLASS_LOSSES + REGRESSION_LOSSES + BINARY_LOSSES
}
"""The losses that a folder keeps, by name."""


def activation_of(loss_func: LossFunction) -> Callable[[Tensor], Tensor]:
    """The function from a model's outputs to predictions: softmax for cross-entropy, sigmoid for binary, and so on."""
    if isinstance(loss_func, nn.CrossEntropyLoss):
        return lambda outputs: torch.softmax(outputs, dim=1)
    if isinstance(loss_func, nn.NLLLoss):
        return torch.exp
    if isinstance(loss_func, nn.BCEWithLogitsLoss):
        return torch.sigmoid
    return lambda outputs: outputs


def name_of_loss(loss_func: LossFunction) -> str | None:
    """The name under which a loss is saved; None for a custom one, or one from torch with changed settings."""
    kind: type[Any] = type(loss_func)
    known = kind in CLASS_LOSSES + REGRESSION_LOSSES + BINARY_LOSSES
    if not (known and isinstance(loss_func, nn.Module)) or next(loss_func.buffers(), None) is not None:
        return None
    settings, standard = (
        {key: value for key, value in vars(one).items() if not key.startswith("_")} for one in (loss_func, kind())
    )
    return kind.__name__ if settings == standard else None


def loss_named(name: str | None) -> LossFunction | None:
    """The loss that `name_of_loss` named."""
    return LOSSES[name]() if name is not None else None


def compute_loss(loss_func: LossFunction, outputs: Tensor, target: Tensor, weights: Tensor | None = None) -> Any:
    """The loss, with the target in the type and the outputs in the shape that the loss takes.

    A column (rows, 1) against (rows,) would silently broadcast to (rows, rows); it is flattened first.

    Args:
        weights: of the rows, (rows,): the loss becomes their weighted mean. Needs a loss with a `reduction`.
    """
    if weights is not None:
        each = compute_loss(row_by_row(loss_func), outputs, target)
        each = each.reshape(len(weights), -1).mean(dim=1)
        of_class = getattr(loss_func, "weight", None) if isinstance(loss_func, CLASS_LOSSES) else None
        shares = weights if of_class is None else weights * of_class[target.long()]
        return (each * weights).sum() / shares.sum()
    if isinstance(loss_func, CLASS_LOSSES):
        return loss_func(outputs, target if target.is_floating_point() else target.long())
    if isinstance(loss_func, REGRESSION_LOSSES + BINARY_LOSSES):
        if outputs.shape != target.shape and outputs.numel() == target.numel():
            outputs = outputs.reshape(target.shape)
        return loss_func(outputs, target.to(outputs.dtype))
    return loss_func(outputs, target)


def row_by_row(loss_func: LossFunction) -> LossFunction:
    """The same loss without its mean over the rows."""
    if not isinstance(loss_func, CLASS_LOSSES + REGRESSION_LOSSES + BINARY_LOSSES):
        raise VectableError("Weights of rows need a loss from torch; a custom function has no value per row.")
    each = copy.copy(loss_func)
    each.reduction = "none"
    return each


def loss_mismatch(loss_func: LossFunction, outputs: Tensor) -> str | None:
    """The sentence for outputs that do not suit the loss, or None: probabilities for logits, logits for log ones."""
    if outputs.ndim < 2 or len(outputs) == 0:
        return None
    if isinstance(loss_func, nn.CrossEntropyLoss) and outputs.shape[1] > 1:
        sums = outputs.sum(dim=1)
        if bool((outputs >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
            return (
                "The model's outputs are probabilities (they sum to 1), and CrossEntropyLoss takes logits: it applies "
                "softmax itself, so learning will be slow. Leave the softmax out of the model."
            )
    if isinstance(loss_func, nn.NLLLoss) and bool((outputs > 0).any()):
        return (
            "The model's outputs are not log-probabilities (some are above 0), so NLLLoss will be negative and mean "
            "nothing. Use CrossEntropyLoss, or end the model with LogSoftmax(dim=1)."
        )
    return None
