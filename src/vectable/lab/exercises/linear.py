"""Exercise: torch's Linear, written by hand as a module."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import torch
from torch import nn


class MyLinear(nn.Module):
    """(rows, n_in) to (rows, n_out). `weight` is (n_out, n_in), as in torch, and `bias` (n_out,)."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / n_in**0.5)  #!
        self.bias = nn.Parameter(torch.zeros(n_out))  #!

    def forward(self, x):
        return x @ self.weight.T + self.bias  #!
'''


def _parameters(answer: Any) -> dict[str, Any]:
    layer = answer.MyLinear(3, 2)
    shapes = {name: str(tuple(one.shape)) for name, one in layer.named_parameters()}
    return {f"the shape of the parameter {name!r}": shapes.get(name, "missing") for name in ("weight", "bias")}


def _forward(answer: Any) -> dict[str, Any]:
    import torch

    layer = answer.MyLinear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).reshape(2, 3))
        layer.bias.copy_(torch.tensor([10.0, -1.0]))
    return {"forward(x)": layer(torch.tensor([[1.0, 0.0, 2.0], [0.5, -1.0, 1.0]]))}


def _trains(answer: Any) -> dict[str, Any]:
    import torch

    torch.manual_seed(0)
    layer, x = answer.MyLinear(3, 1), torch.randn(64, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.2)
    for _ in range(200):
        optimizer.zero_grad()
        ((layer(x) - y) ** 2).mean().backward()
        optimizer.step()
    return {"weight and bias after training": np.append(layer.weight.detach().numpy(), layer.bias.detach().numpy())}


EXERCISE = Exercise(
    name="linear",
    title="Your own Linear",
    task="A module is parameters and a forward. nn.Parameter makes a tensor one that optimizers see.",
    page="lesson/affine",
    source=SOURCE,
    checks=(
        Check("its parameters", _parameters, "nn.Parameter(...), in __init__, under the names weight and bias."),
        Check(
            "forward", _forward, "torch keeps the weight as (n_out, n_in), so it is transposed in the product.", 1e-5
        ),
        Check("it trains", _trains, "A tensor that is not a Parameter is not trained.", 1e-3),
    ),
    mistakes=(
        Mistake(
            "The bias is a plain tensor: wrap it in nn.Parameter.",
            {"nn.Parameter(torch.zeros(n_out))": "torch.zeros(n_out)"},
        ),
        Mistake(
            "The weight is (n_in, n_out); torch has it the other way round.",
            {"torch.randn(n_out, n_in)": "torch.randn(n_in, n_out)", "self.weight.T": "self.weight"},
        ),
        Mistake("The bias is not added.", {" + self.bias": ""}),
    ),
    seconds=60,
)
