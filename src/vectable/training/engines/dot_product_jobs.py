"""What the compiled engines for dot-product models ask of a job, whatever their optimizer."""

import torch
from torch import nn

from vectable.data.tensors import TensorSet
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.training.engines.job import Job


def why_no_dot_products(
    job: Job, kind: type[EmbeddingDotBias] = EmbeddingDotBias, rows: type[TensorSet] = TensorSet
) -> str | None:
    """The reason why a job is not one of dot products and squared errors in 32 bits on the CPU, or None.

    Args:
        kind, rows: which model and which rows it may be of, and of no subclass.
    """
    model, loss, options = job.model, job.loss_func, job.options
    if type(model) is not kind:
        return f"it trains {kind.__name__}, and the model is {type(model).__name__}"
    if not (isinstance(loss, nn.MSELoss) and loss.reduction == "mean"):
        return "it minimizes the mean squared error, and the loss is another"
    if job.weighted:
        return "it counts all ratings alike, and these have weights"
    if type(job.rows) is not rows:
        return "the rows are read from disk block by block"
    if any(p.device.type != "cpu" or p.dtype != torch.float32 or not p.requires_grad for p in model.parameters()):
        return "it works on unfrozen 32-bit weights on the CPU"
    if len(job.groups) > 1:
        return f"it trains one layer group, and there are {len(job.groups)}"
    if options.precision != "fp32" or options.accumulate > 1:
        return "it takes a step per batch, in 32 bits"
    return None
