"""A model that computes in 64 bits: a row's prediction is then the same, whichever rows stand beside it.

In 32 bits it is not: vectorised kernels round the rows at the end of a block otherwise than those within it.
"""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


def in_64_bits(model: Net) -> Net:
    """A copy of a trained model with 64-bit weights and outputs, made for one call: later training does not reach it.

    The tables of its embeddings are not copied, since they may be large: they are shared, and their rows widened as
    they are looked up.
    """
    tables = {id(one.weight): one.weight for one in model.modules() if isinstance(one, nn.Embedding)}
    twin = copy.deepcopy(model, dict(tables))
    for module in twin.modules():
        if isinstance(module, nn.Embedding):
            module.register_forward_hook(_widen)
            continue
        for weight in module.parameters(recurse=False):
            weight.data = weight.data.double()
        for name, value in list(module.named_buffers(recurse=False)):
            if value.is_floating_point():
                setattr(module, name, value.double())
    return twin.eval()


def _widen(_: nn.Module, __: tuple[Tensor, ...], rows: Tensor) -> Tensor:
    return rows.to(torch.float64)
