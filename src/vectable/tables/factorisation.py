"""Ratings with more columns than user and item: a factorization machine on a table."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from vectable.data.tables.table_data import TableData
from vectable.data.tables.targets import NumberTarget
from vectable.errors import VectableError
from vectable.models.ensemble import Ensemble, seeded_members
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.prediction_range import choose_range
from vectable.tables.defaults import FACTORISATION_WEIGHT_DECAY
from vectable.tables.net_start import bin_borders, normalized_range
from vectable.tables.tabular import TabularLearner


def factorisation_learner(
    data: TableData,
    n_factors: int = 40,
    y_range: Sequence[float] | str | None = "auto",
    wd: float = FACTORISATION_WEIGHT_DECAY,
    *,
    n_models: int = 1,
    seed: int = 42,
    **learner: Any,
) -> TabularLearner:
    """A learner for ratings with more columns than user and item: a factorisation machine on a table of one number.

    Args:
        data: the table.
        n_factors: width of the vectors.
        y_range: (low, high) of a sigmoid around the ratings; "auto" takes an eighth of the scale beyond both ends; None
            leaves it out.
        wd: weight decay.
        n_models: number of models from different seeds that are averaged at prediction time.
        seed: random seed for initialization and batching.
        learner: further arguments of `Learner`.
    """
    encoder, target = data.encoder, data.target
    if not (isinstance(target, NumberTarget) and target.n_outputs == 1):
        raise VectableError("A factorization machine predicts one number.")
    limits = choose_range(float(target.low[0]), float(target.high[0]), y_range)
    last = data.train_rows.highest_codes()
    sizes = [len(one) for one in encoder.categories.values()]
    config: dict[str, Any] = {
        "embeddings": sizes,
        "shows_missing": [bool(code == size - 1) for code, size in zip(last, sizes, strict=True)],
        "n_numbers": len(encoder.numbers),
        "n_factors": n_factors,
        "y_range": normalized_range(target, limits),
        "borders": bin_borders(encoder),
    }
    members = seeded_members(lambda: FactorisationMachine(**config), n_models, seed)
    model = members[0] if n_models == 1 else Ensemble(members)
    return TabularLearner(data, model, nn.MSELoss(), **{"metrics": ["rmse"], **learner}, wd=wd, seed=seed)
