"""Numbers brought to mean 0 and standard deviation 1."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.encoders.graph import Value
from vectable.data.encoders.weighted import weighted_mean_std
from vectable.errors import is_finite, require
from vectable.folder_schema import Default, number, optional, record, whole

EPS = 1e-7
SMALLEST = 5e-324
FORM = record(  # as it is saved
    ddof=whole(0), mean=number(), std=number(SMALLEST), squash=Default(None, optional(number(SMALLEST)))
)
FARTHEST = 1e6  # standard deviations; among n training rows none is farther than the root of n from their mean
LAST_SQUASHED = 1 - 2.0**-24  # of the share of `squash` that a 32-bit number below it can be


class Normalize:
    """``(x - mean) / (1e-7 + std)``, learned from the training rows; a column of one value keeps its unit (std 1).

    Values of new rows beyond a million standard deviations are brought there, so that a net's sums stay finite.

    Args:
        ddof: taken off the number of rows in the standard deviation: 0 as today's reference, 1 as in the lesson.
        squash: with a number s, z standard deviations become ``z / sqrt(1 + (z / s) ** 2)``: nearly z where z is small,
            and never beyond s on either side, so that a corrupt or extreme value, as 31.8 where 3 is usual, does not
            carry a net far outside of what it learned. None leaves z as it is, as the lesson does.

    Attributes:
        mean, std: after `fit`.

    Examples:
        >>> import numpy as np, vectable as vt
        >>> scale = vt.Normalize().fit(np.array([1.0, 3.0]))
        >>> scale.encode(np.array([1.0, 2.0, 3.0])).round(4).tolist()
        [-1.0, 0.0, 1.0]
    """

    def __init__(self, ddof: int = 0, squash: float | None = None) -> None:
        require(
            squash is None or (is_finite(squash) and squash > 0),
            f"squash must be a positive number, or None; got {squash!r}.",
        )
        self.ddof, self.squash, self.mean, self.std = ddof, squash, 0.0, 1.0

    def copy(self) -> "Normalize":
        """One of the same settings, not yet fitted."""
        return Normalize(self.ddof, self.squash)

    def fit(
        self,
        values: NDArray[np.float64],
        weights: NDArray[np.float64] | None = None,
        *,
        target: NDArray[Any] | None = None,
    ) -> "Normalize":
        """Learn mean and standard deviation of `values`, (rows,), none of them missing; a target plays no part."""
        values = np.asarray(values, dtype=np.float64)
        if len(values):
            self.mean, self.std = weighted_mean_std(values, weights, self.ddof)
            self.std = self.std if np.ptp(values) > 0 else 1.0
        return self

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Normalized values, (rows,) float32."""
        deviations = np.clip(np.asarray(values, dtype=np.float64), *self._ends) - self.mean
        normal = deviations / (EPS + self.std)
        if self.squash is not None:
            parts = normal / self.squash
            normal = normal / np.sqrt(parts * parts + 1)
        return normal.astype(np.float32)

    def encode_one(self, value: float) -> float:
        """The normalized value of one number, rounded to 32 bits as `encode` rounds it."""
        low, high = self._ends
        normal = (min(max(value, low), high) - self.mean) / (EPS + self.std)
        if self.squash is not None:
            part = normal / self.squash
            normal = normal / math.sqrt(part * part + 1)
        return float(np.float32(normal))

    def decode(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The values as they were; squashed ones as far as 32 bits keep them apart."""
        normal = np.asarray(values, dtype=np.float64)
        if self.squash is not None:
            part = np.clip(normal / self.squash, -LAST_SQUASHED, LAST_SQUASHED)
            normal = normal / np.sqrt(1 - part * part)
        return np.asarray(normal * (EPS + self.std) + self.mean)

    def to_onnx(self, value: Value) -> Value:
        """Normalized values, (rows,) float32, of a column of 64-bit floats, in the same order of operations."""
        normal = (value.clip(*self._ends) - self.mean) / (EPS + self.std)
        if self.squash is not None:
            part = normal / self.squash
            normal = normal / value.graph.add("Sqrt", part * part + 1)
        return normal.cast("float32")

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {"ddof": self.ddof, "mean": self.mean, "std": self.std, "squash": self.squash}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "Normalize":
        """The encoder back from `to_json`."""
        form = FORM(form, "scale")
        encoder = cls(form["ddof"], form["squash"])
        encoder.mean, encoder.std = form["mean"], form["std"]
        return encoder

    @property
    def _ends(self) -> tuple[float, float]:
        """The values to which those beyond are brought."""
        return self.mean - FARTHEST * self.std, self.mean + FARTHEST * self.std
