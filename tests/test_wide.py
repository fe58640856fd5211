"""Models that compute in 64 bits: the mathematics of the 32-bit weights, without copies of large tables."""

import numpy as np
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.wide import in_64_bits

CODES = torch.randint(0, 20, (61, 2), generator=torch.Generator().manual_seed(0)).int()
NUMBERS = torch.randn(61, 3, generator=torch.Generator().manual_seed(1))
MODELS = {
    "dot product": (lambda: vt.EmbeddingDotBias(20, 20, 5, (0, 5.5)), (CODES[:, 0], CODES[:, 1])),
    "net": (lambda: vt.EmbeddingNet(20, 20, layers=[9], y_range=(0, 5.5)), (CODES[:, 0], CODES[:, 1])),
    "factorisation machine": (
        lambda: FactorisationMachine([20, 20], [False, True], 3, 5, (0, 5.5), [[-1.0, 0.0, 1.0], [], []]),
        (CODES, NUMBERS.double()),
    ),
    "tabular": (lambda: vt.TabularModel([(20, 4), (20, 3)], 3, 2, (8,)), (CODES, NUMBERS.double())),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_is_the_whole_model_in_64_bits(name: str) -> None:
    make, inputs = MODELS[name]
    torch.manual_seed(0)
    model = make().eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3)
    with torch.no_grad():
        found = in_64_bits(model)(*inputs)
        expected = make().double()
        expected.load_state_dict(model.state_dict())
        assert found.dtype == torch.float64
        np.testing.assert_allclose(found.numpy(), expected.eval()(*inputs).numpy(), rtol=1e-13)
    assert all(weight.dtype == torch.float32 for weight in model.parameters()), "the model itself is as it was"


def test_tables_are_shared_and_other_weights_are_not() -> None:
    model = vt.EmbeddingNet(20, 30, layers=[4])
    twin = in_64_bits(model)
    assert twin.items.weight is model.items.weight
    assert twin.layers[0].weight.data_ptr() != model.layers[0].weight.data_ptr()
