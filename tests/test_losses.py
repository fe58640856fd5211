"""Which outputs suit which loss, and what weights of rows and classes make of it: values computed by hand."""

import math

import pytest
import torch
from torch import nn

from vectable.models.losses import compute_loss, loss_mismatch

PROBABILITIES = torch.tensor([[0.25, 0.75], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("loss", "outputs", "message"),
    [
        (nn.CrossEntropyLoss(), PROBABILITIES, "are probabilities"),
        (nn.CrossEntropyLoss(), PROBABILITIES.log().clamp(min=-9), None),
        (nn.CrossEntropyLoss(), PROBABILITIES * 2, None),
        (nn.CrossEntropyLoss(), torch.tensor([[1.5, -0.5]]), None),
        (nn.CrossEntropyLoss(), torch.ones(3, 1), None),
        (nn.CrossEntropyLoss(), PROBABILITIES[:0], None),
        (nn.CrossEntropyLoss(), PROBABILITIES[0], None),
        (nn.MSELoss(), PROBABILITIES, None),
        (nn.NLLLoss(), torch.tensor([[-0.3, -1.35], [0.0, -9.0]]), None),
        (nn.NLLLoss(), torch.tensor([[-0.3, -1.35], [0.01, -9.0]]), "not log-probabilities"),
        (nn.MSELoss(), torch.tensor([[0.01, -9.0]]), None),
    ],
)
def test_a_mismatch_is_found_in_the_outputs(loss: nn.Module, outputs: torch.Tensor, message: str | None) -> None:
    found = loss_mismatch(loss, outputs)
    assert (found is None) if message is None else message in str(found)


def test_weights_of_rows_and_classes_multiply() -> None:
    outputs = torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.5, 0.5]], dtype=torch.float64)
    classes, rows, of_class = [0, 0, 1], [1.0, 3.0, 2.0], [5.0, 7.0]

    def cross_entropy(row: list[float], label: int) -> float:
        return math.log(sum(math.exp(value) for value in row)) - row[label]

    each = [cross_entropy(row, label) for row, label in zip(outputs.tolist(), classes, strict=True)]
    shares = [weight * of_class[label] for weight, label in zip(rows, classes, strict=True)]
    expected = sum(share * value for share, value in zip(shares, each, strict=True)) / sum(shares)
    loss = nn.CrossEntropyLoss(weight=torch.tensor(of_class, dtype=torch.float64))
    weights = torch.tensor(rows, dtype=torch.float64)
    assert float(compute_loss(loss, outputs, torch.tensor(classes), weights)) == pytest.approx(expected, rel=1e-12)
    plain = sum(weight * value for weight, value in zip(rows, each, strict=True)) / sum(rows)
    found = compute_loss(nn.CrossEntropyLoss(), outputs, torch.tensor(classes), weights)
    assert float(found) == pytest.approx(plain, rel=1e-12)


def test_a_column_of_outputs_is_compared_row_by_row() -> None:
    outputs, target = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([1.0, 0.0, 1.0])
    assert float(compute_loss(nn.MSELoss(), outputs, target)) == pytest.approx((0 + 4 + 9) / 3)
    weights = torch.tensor([1.0, 1.0, 2.0])
    assert float(compute_loss(nn.MSELoss(), outputs, target, weights)) == pytest.approx((0 + 4 + 18) / 4)
