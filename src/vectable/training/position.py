"""What is being trained just now, and how far it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Position:
    """How far a fit is.

    Attributes:
        member: number of the model in training, in an ensemble.
        epoch: number of its epoch.
        step: number of that epoch's steps that are done.
        finished: whether the fit is over.
    """

    member: int = 0
    epoch: int = 0
    step: int = 0
    finished: bool = False


@dataclass(frozen=True)
class FitPlan:
    """How much there is to train.

    Attributes:
        n_epochs: epochs of each model.
        n_steps: steps of each model, over all epochs.
        n_models: models that are trained one after the other.
        purpose: "fit", or "lr_find" for the short runs of the learning-rate finder.
    """

    n_epochs: int
    n_steps: int
    n_models: int = 1
    purpose: str = "fit"
