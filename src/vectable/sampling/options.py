"""How the posterior is sampled: the arguments that a saved model keeps."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from vectable.errors import is_whole, require

LIKELIHOODS = ("normal", "ordinal")
DTYPES = ("float16", "float32")
DRAW_MEMORY = 512 * 2**20
LEAST = {"n_factors": 1, "n_draws": 1, "burn_in": 0, "n_chains": 1, "threads": 1, "seed": 0, "draw_memory": 1}
RENAMED = {"user_day": "user_day_bias"}


@dataclass(frozen=True)
class SamplingOptions:
    """Options of a sampling run; see `vectable.bayes_collab_learner` for what each means.

    Raises:
        VectableError: one out of range.
    """

    n_factors: int = 16
    n_draws: int = 200
    burn_in: int = 20
    likelihood: str = "normal"
    user_day_bias: bool = False
    n_chains: int = 1
    draw_dtype: str = "float16"
    draw_memory: int = DRAW_MEMORY
    seed: int = 42
    threads: int = 1

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            kind = "a positive integer" if least else "an integer of at least 0"
            require(is_whole(value, least), f"{name} must be {kind}; got {value!r}.")
        require(
            isinstance(self.user_day_bias, bool | np.bool_),
            f"user_day_bias must be True or False; got {self.user_day_bias!r}.",
        )
        for name, known in (("likelihood", LIKELIHOODS), ("draw_dtype", DTYPES)):
            value = getattr(self, name)
            require(value in known, f"{name} must be {known[0]!r} or {known[1]!r}; got {value!r}.")

    @property
    def is_ordinal(self) -> bool:
        """Whether ratings are ordered categories."""
        return self.likelihood == "ordinal"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "SamplingOptions":
        """The options back from a saved folder; what an older one lacks has its default."""
        given = {RENAMED.get(name, name): value for name, value in form.items()}
        return cls(**{field.name: given[field.name] for field in fields(cls) if field.name in given})
