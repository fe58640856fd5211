"""A tabular net predicts without torch what it predicts with it."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from vectable.models.array_net import ArrayNet
from vectable.models.tabular import TabularModel

SIZES = [(10, 6), (17, 8)]


def trained_net(**more):
    """A net whose batch norms have seen something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = TabularModel(SIZES, 3, 2, (30, 20), **more)
        net.train()
        for _ in range(5):
            net(*rows(64))
        for norm in (one for one in net.modules() if isinstance(one, torch.nn.BatchNorm1d)):
            torch.nn.init.normal_(norm.weight)
            torch.nn.init.normal_(norm.bias)
    return net.eval()


def rows(n):
    return torch.stack([torch.randint(0, size, (n,)) for size, _ in SIZES], 1).int(), torch.randn(n, 3) * 2 + 1


def array_net(net):
    return ArrayNet.of(net.config(), {name: value.numpy() for name, value in net.state_dict().items()})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"preset": "lesson"},
        {"y_range": (-1, 4), "ps": (0.1, 0.2), "emb_drop": 0.1},
        {"borders": [[-2.0, 0.0, 1.0, 3.0], [], [0.0, 0.5]]},
    ],
)
def test_outputs_are_those_of_torch(more):
    net = trained_net(**more)
    codes, numbers = rows(200)
    with torch.no_grad():
        exact, single = net.double()(codes, numbers.double()).numpy(), net.float()(codes, numbers).numpy()
    found = array_net(net).outputs(codes.numpy(), numbers.numpy())
    np.testing.assert_allclose(found, exact, atol=1e-10)
    np.testing.assert_allclose(found, single, atol=2e-5)


def test_a_row_gets_the_same_bits_alone_and_among_others():
    net = array_net(trained_net(borders=[[-2.0, 0.0, 1.0, 3.0], [], []]))
    codes, numbers = (one.numpy() for one in rows(300))
    together = net.outputs(codes, numbers)
    alone = np.concatenate([net.outputs(codes[at : at + 1], numbers[at : at + 1]) for at in range(0, 300, 17)])
    np.testing.assert_allclose(alone, together[::17], rtol=1e-13, atol=1e-13)


def test_no_rows_give_no_outputs():
    net = array_net(trained_net())
    assert net.outputs(np.zeros((0, 2), dtype=np.int32), np.zeros((0, 3), dtype=np.float32)).shape == (0, 2)


def test_it_needs_no_torch():
    code = "import sys; import vectable.models.array_net; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
