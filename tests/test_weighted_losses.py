"""The loss of weighted rows, against sums written out in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from vectable.models.losses import compute_loss

LOGITS = np.array([[0.2, -1.0, 0.5], [1.5, 0.0, -0.5], [0.0, 0.3, 0.1], [-2.0, 1.0, 0.4]])
CLASSES, ROWS, PER_CLASS = np.array([0, 2, 1, 1]), np.array([1.0, 2.0, 0.5, 3.0]), np.array([0.25, 4.0, 1.5])


def test_weights_of_classes_times_weights_of_rows() -> None:
    """The sum of w_row * w_class * -log p, divided by the sum of w_row * w_class."""
    logs = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    shares = [float(row * PER_CLASS[each]) for row, each in zip(ROWS, CLASSES, strict=True)]
    expected = sum(share * -logs[at, CLASSES[at]] for at, share in enumerate(shares)) / sum(shares)
    loss = nn.CrossEntropyLoss(weight=torch.tensor(PER_CLASS))
    found = compute_loss(loss, torch.tensor(LOGITS), torch.tensor(CLASSES), torch.tensor(ROWS))
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_a_weight_of_two_is_the_row_twice() -> None:
    loss = nn.CrossEntropyLoss(weight=torch.tensor(PER_CLASS))
    logits, classes = torch.tensor(LOGITS), torch.tensor(CLASSES)
    doubled = compute_loss(loss, logits, classes, torch.tensor([1.0, 2.0, 1.0, 1.0], dtype=torch.float64))
    twice = torch.tensor([0, 1, 1, 2, 3])
    assert float(doubled) == pytest.approx(float(loss(logits[twice], classes[twice])), rel=1e-12)


def test_weighted_squares_of_several_numbers_per_row() -> None:
    predicted, target = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 5.0]]), np.array([[1.5, 0.0], [0.0, 1.0], [2.0, 5.0]])
    rows = np.array([1.0, 3.0, 0.5])
    expected = float((((predicted - target) ** 2).mean(axis=1) * rows).sum() / rows.sum())
    found = compute_loss(nn.MSELoss(), torch.tensor(predicted), torch.tensor(target), torch.tensor(rows))
    assert float(found) == pytest.approx(expected, rel=1e-12)
