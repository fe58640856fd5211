import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

import vectable as vt
from vectable.insight.calibration import calibration


def test_groups_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    given_, truth = rng.random(1_000), rng.random(1_000) < 0.4
    found = calibration(given_, truth, n_bins=5)
    observed, predicted = calibration_curve(truth, given_, n_bins=5, strategy="quantile")
    assert found.table["rows"].sum() == 1_000
    assert found.table["rows"].min() >= 199
    assert found.table["predicted"].to_numpy() == pytest.approx(predicted, abs=2e-3)
    assert found.table["observed"].to_numpy() == pytest.approx(observed, abs=5e-3)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1), st.integers(1, 20))
def test_no_row_is_lost_and_shares_lie_in_their_intervals(rows: list[tuple[float, bool]], n_bins: int) -> None:
    given_, truth = map(np.array, zip(*rows, strict=True))
    found = calibration(given_, truth, n_bins)
    table = found.table
    assert table["rows"].sum() == len(rows)
    assert len(table) <= n_bins
    assert (table["observed"] * table["rows"]).sum() == pytest.approx(truth.sum())
    assert (table["predicted"] * table["rows"]).sum() == pytest.approx(given_.sum())
    assert ((table["low"] <= table["observed"] + 1e-12) & (table["observed"] <= table["high"] + 1e-12)).all()
    assert 0 <= found.error <= 1


def test_right_probabilities_have_no_error_and_a_known_interval() -> None:
    found = calibration(np.array([0.5, 0.5, 0.5, 0.5]), np.array([True, False, True, False]))
    assert found.error == 0
    # Wilson's interval for 2 of 4: 0.150 to 0.850
    assert found.table.row(0) == pytest.approx((0.5, 0.5, 0.1500, 0.8500, 4), abs=1e-4)
    assert calibration([1.0, 1.0], [0, 0]).error == 1


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(vt.DataError, match=r"these go from 0[.]5 to 2"):
        calibration([0.5, 2.0], [1, 0])
    with pytest.raises(vt.DataError, match=r"got \(2,\) and \(1,\)"):
        calibration([0.5, 0.2], [1])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_learner_draws_its_calibration(n_classes: int, tmp_path: object) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=600)
    frame = pl.DataFrame({"x": x, "y": [f"c{int(v)}" for v in np.clip(x + rng.normal(size=600) + 1, 0, n_classes - 1)]})
    learn = vt.tabular_learner(vt.TableData.from_df(frame, target="y"), layers=[8], progress=False)
    learn.fit_one_cycle(2, 1e-2)
    found = learn.calibration(n_bins=4)
    assert found.table["rows"].sum() == 120
    assert found.of == ("probability of c1" if n_classes == 2 else "probability of the predicted class")
    picture = f"{tmp_path}/calibration.png"
    found.plot(picture)
    with open(picture, "rb") as file:
        assert file.read(4) == b"\x89PNG"
