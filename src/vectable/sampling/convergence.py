"""Have the chains forgotten where they started, and how many independent draws are theirs worth?

Rank-normalised split R-hat and bulk effective sample size: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, "Rank-
normalization, folding, and localization: an improved R-hat", doi 10.1214/20-BA1221, sections 3 and 4. The libraries
that have them bring labelled arrays and several readers along, which is much for sixty lines.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]

FEWEST_EFFECTIVE, MOST_RHAT = 10, 1.1  # draws with less, or more, are not trusted


def rhat(draws: Floats) -> float:
    """Rank-normalised split R-hat of a quantity's draws, (chains, draws): the larger of bulk and tails; 1 is converged.

    Not a number for fewer than 4 draws a chain; 1 for a quantity that never changes.
    """
    halves = _halves(draws)
    if halves.shape[1] < 2:
        return float("nan")
    if np.ptp(halves) == 0:
        return 1.0
    folded = np.abs(halves - np.median(halves))
    return max(_rhat(_normal_scores(halves)), _rhat(_normal_scores(folded)))


def effective_draws(draws: Floats) -> float:
    """Bulk effective sample size of a quantity's draws, (chains, draws): that many independent ones say as much.

    Autocorrelations are summed in pairs while these are positive, and made to fall (Geyer 1992).
    """
    halves = _halves(draws)
    chains, length = halves.shape
    if length < 2:
        return float("nan")
    if np.ptp(halves) == 0:
        return float(halves.size)
    scores = _normal_scores(halves)
    covariance = np.mean([_autocovariance(one) for one in scores], axis=0)
    within = covariance[0] * length / (length - 1)
    total = covariance[0] + (scores.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    correlation = 1 - (within - covariance) / total
    correlation[0] = 1.0
    pairs = correlation[: length // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = np.flatnonzero(pairs <= 0)
    pairs = np.minimum.accumulate(pairs[: positive[0]] if len(positive) else pairs)
    time = max(2 * float(pairs.sum()) - 1, 1 / np.log10(halves.size))
    return float(halves.size / time)


def _halves(draws: Floats) -> Floats:
    """Each chain in two, (2 * chains, draws // 2)."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def _normal_scores(draws: Floats) -> Floats:
    ranks = rankdata(draws).reshape(draws.shape)
    return np.asarray(norm.ppf((ranks - 0.375) / (draws.size + 0.25)))


def _rhat(draws: Floats) -> float:
    length = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean()
    between = draws.mean(axis=1).var(ddof=1)
    return float(np.sqrt((within * (length - 1) / length + between) / within)) if within > 0 else float("inf")


def _autocovariance(chain: Floats) -> Floats:
    length = len(chain)
    spectrum = np.fft.rfft(chain - chain.mean(), 2 * length)
    return np.fft.irfft(spectrum * spectrum.conj())[:length] / length


def convergence_table(traces: Floats) -> list[dict[str, Any]]:
    """A row per quantity: its name, mean, standard deviation, R-hat, effective and actual number of draws.

    Args:
        traces: (chains, draws, quantities): the noise, then predictions.
    """
    names = ["noise", *(f"prediction {at + 1}" for at in range(traces.shape[2] - 1))]
    return [
        {
            "quantity": name,
            "mean": float(values.mean()),
            "sd": float(values.std()),
            "rhat": rhat(values),
            "effective_draws": effective_draws(values),
            "draws": values.size,
        }
        for name, values in zip(names, np.moveaxis(traces, 2, 0), strict=True)
    ]


def few_draws(traces: Floats) -> str | None:
    """What to do about too few draws, in a sentence; None where there are enough."""
    rows = convergence_table(traces)
    worst = max(np.inf if np.isnan(row["rhat"]) else row["rhat"] for row in rows)
    fewest = min(np.nan_to_num(row["effective_draws"]) for row in rows)
    if worst <= MOST_RHAT and fewest >= FEWEST_EFFECTIVE:
        return None
    return (
        f"The draws are too few to trust their spread: R-hat is up to {worst:.2f} (1.0 would be converged), "
        f"and the least certain quantity has {fewest:.0f} independent draws. Add more: fit(n_draws)."
    )
