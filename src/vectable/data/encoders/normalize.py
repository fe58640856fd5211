"""Numbers brought to mean 0 and standard deviation 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.encoders.graph import Value
from vectable.data.encoders.weighted import weighted_mean_std
from vectable.folder_schema import number, record, whole

EPS = 1e-7
SMALLEST = 5e-324
FORM = record(ddof=whole(0), mean=number(), std=number(SMALLEST))  # as it is saved
FARTHEST = 1e6  # standard deviations; among n training rows none is farther than the root of n from their mean


class Normalize:
    """``(x - mean) / (1e-7 + std)``, learned from the training rows; a column of one value keeps its unit (std 1).

    Values of new rows beyond a million standard deviations are brought there, so that a net's sums stay finite.

    Args:
        ddof: taken off the number of rows in the standard deviation: 0 as today's reference, 1 as in the lesson.

    Attributes:
        mean, std: after `fit`.
    """

    def __init__(self, ddof: int = 0) -> None:
        self.ddof, self.mean, self.std = ddof, 0.0, 1.0

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
        return (deviations / (EPS + self.std)).astype(np.float32)

    def encode_one(self, value: float) -> float:
        """The normalized value of one number, rounded to 32 bits as `encode` rounds it."""
        low, high = self._ends
        deviation = min(max(value, low), high) - self.mean
        return float(np.float32(deviation / (EPS + self.std)))

    def decode(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The values as they were."""
        return np.asarray(values, dtype=np.float64) * (EPS + self.std) + self.mean

    def to_onnx(self, value: Value) -> Value:
        """Normalized values, (rows,) float32, of a column of 64-bit floats, in the same order of operations."""
        return ((value.clip(*self._ends) - self.mean) / (EPS + self.std)).cast("float32")

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain JSON values."""
        return {"ddof": self.ddof, "mean": self.mean, "std": self.std}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "Normalize":
        """The encoder back from `to_json`."""
        form = FORM(form, "scale")
        encoder = cls(form["ddof"])
        encoder.mean, encoder.std = form["mean"], form["std"]
        return encoder

    @property
    def _ends(self) -> tuple[float, float]:
        """The values to which those beyond are brought."""
        return self.mean - FARTHEST * self.std, self.mean + FARTHEST * self.std
