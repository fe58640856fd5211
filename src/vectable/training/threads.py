"""How many threads torch computes with: one for small nets, whose layers are too small to share out.

On a busy machine two threads of a small net mostly wait for each other and cost many times the processor time of one.
The choice looks at the net alone and not at the machine or its environment, so that one seed gives one model, bit for
bit. For large nets the threads are torch's own number (all cores, OMP_NUM_THREADS or `torch.set_num_threads`), and the
last bits of what they learn depend on it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

MOST_WEIGHTS = 1_000_000
"""Weights that a small net multiplies a row by, at most."""
TABLES = (nn.Embedding, nn.EmbeddingBag)  # looked up, not multiplied
CONVOLUTIONS = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip
REUSED = (*CONVOLUTIONS, nn.RNNBase, nn.MultiheadAttention)  # their weights are used many times per row


def is_small(model: nn.Module) -> bool:
    """Whether a net multiplies a row by at most a million weights, without convolutions, recurrence or attention."""
    weights = 0
    for module in model.modules():
        if isinstance(module, REUSED):
            return False
        if not isinstance(module, TABLES):
            weights += sum(one.numel() for one in module.parameters(recurse=False) if one.ndim > 1)
    return weights <= MOST_WEIGHTS


@contextmanager
def threads_for(model: nn.Module, device: torch.device, wanted: int | None) -> Iterator[None]:
    """Let torch compute inside with the number of threads that suits a model; afterwards with as many as before.

    Args:
        wanted: the number that the caller asks for; None leaves the choice to the size of the net.
    """
    before = torch.get_num_threads()
    suited = 1 if device.type == "cpu" and is_small(model) else before
    torch.set_num_threads(suited if wanted is None else wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
