"""A model's outputs for all rows of a set, and how good they are."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vectable.data.tensors import Inputs, TensorSet
from vectable.models.losses import LossFunction, activation_of, compute_loss
from vectable.training.data_protocol import InOwnUnits
from vectable.training.metrics import Metric


def outputs_of(model: nn.Module, rows: Inputs, device: torch.device) -> Tensor:
    """The model's outputs for all rows, on the CPU, without gradients, in blocks."""
    model.eval()
    with torch.no_grad():
        parts = []
        for first in range(0, max(len(rows), 1), rows.predict_rows):
            inputs = rows.inputs_of(slice(first, first + rows.predict_rows))
            parts.append(model(*(column.to(device) for column in inputs)).cpu())
        return torch.cat(parts)


def measured(
    outputs: Tensor, rows: TensorSet, loss_func: LossFunction, metrics: Mapping[str, Metric], data: object
) -> dict[str, float]:
    """Loss and metrics of a model's outputs for validation rows.

    Args:
        outputs: (rows, ...), before the activation of the loss.
        data: what the rows belong to; where its targets have units of their own (`InOwnUnits`), metrics are in those.
    """
    predicted: Any = activation_of(loss_func)(outputs).cpu().numpy()
    target: Any = rows.target.cpu().numpy()
    if isinstance(data, InOwnUnits):
        predicted, target = data.in_own_units(predicted, target)
    return {
        "valid_loss": compute_loss(loss_func, outputs, rows.target, rows.weights).item(),
        **{name: metric(predicted, target) for name, metric in metrics.items()},
    }
