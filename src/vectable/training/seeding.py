"""Random numbers that depend on a seed and on what they are for, and on nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int, device: torch.device, *purpose: int | str) -> Iterator[np.random.Generator]:
    """NumPy's generator, and inside the block torch's own, seeded by `seed` and `purpose` alone.

    Args:
        device: where torch draws besides the CPU.
        purpose: what the numbers are for, e.g. the model's number and the epoch's.

    Torch's random state is afterwards what it was before.
    """
    numbers = [seed, *(part if isinstance(part, int) else sum(part.encode()) for part in purpose)]
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        rng = np.random.default_rng(numbers)
        torch_seed = int(rng.integers(2**63))
        torch.default_generator.manual_seed(torch_seed)  # torch.manual_seed does the same, and looks at the whole stack
        if devices:
            torch.cuda.manual_seed(torch_seed)
        yield rng
