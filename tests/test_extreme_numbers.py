"""Numbers far from those of training, and few whole numbers that are categories and numbers at once."""

import numpy as np
import polars as pl
import pytest

import vectable as vt
from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.number_column import NumberColumn
from vectable.data.tables.table_data import PROCS


def test_squashed_numbers_are_nearly_normal_ones_and_never_leave_the_bound():
    values = np.linspace(-2, 2, 41)
    plain, squashed = vt.Normalize().fit(values), vt.Normalize(squash=3).fit(values)
    z = plain.encode(values).astype(float)
    assert squashed.encode(values) == pytest.approx(z / np.sqrt(1 + (z / 3) ** 2), rel=1e-6)
    assert squashed.encode(np.array([1e9, -1e9])).tolist() == [3, -3]
    far = np.array([-20.0, 31.8, 100])
    assert squashed.decode(squashed.encode(far)) == pytest.approx(far, rel=1e-3)
    assert np.isfinite(squashed.decode(np.array([3.0, -3.0], dtype=np.float32))).all()


def test_the_order_of_numbers_is_kept():
    values = np.sort(np.random.default_rng(0).standard_cauchy(1000))
    assert (np.diff(vt.Normalize(squash=3).fit(values).encode(values)) >= 0).all()


@pytest.mark.parametrize("squash", [0, -1, float("nan"), "3"])
def test_a_bound_is_a_positive_number(squash):
    with pytest.raises(vt.VectableError, match="squash must be a positive number"):
        vt.Normalize(squash=squash)


def test_columns_saved_before_there_was_a_bound_have_none():
    form = NumberColumn("c").fit(pl.Series([1.0, 2.0, 4.0])).to_json()
    del form["scale"]["squash"]
    assert NumberColumn.from_json(form).encode_one(1e4).numbers == [
        float(vt.Normalize().fit([1, 2, 4]).encode([1e4])[0])
    ]


def test_a_corrupt_value_does_not_carry_a_prediction_away():
    rng = np.random.default_rng(0)
    size = rng.normal(3, 0.3, 2000)
    table = pl.DataFrame({"size": size, "price": 100 * size + rng.normal(size=2000)})
    found = {}
    for name, procs in {
        "squashed": PROCS,
        "plain": (vt.FillMissing, vt.Normalize),
    }.items():
        data = vt.TableData.from_df(table, "price", valid_pct=0, procs=procs)
        learn = vt.tabular_learner(data, [16], progress=False).fit_one_cycle(5, 1e-2)
        found[name] = learn.predict(pl.DataFrame({"size": [4.0, 31.8]}))
    assert found["plain"][1] > 2 * table["price"].max()
    assert found["squashed"][1] < 1.5 * table["price"].max()


# ---------------------------------------------------------------- ordinals


def test_the_rule_of_ordinals():
    def kind(different, rows, **how):
        return kind_of(pl.Series(np.arange(rows) % different), None, **how).kind

    assert [kind(n, 600, whole_numbers="both") for n in (2, 3, 20, 21, 30, 31)] == [
        "category", "ordinal", "ordinal", "ordinal", "ordinal", "number",
    ]  # fmt: skip
    assert [kind(n, 6000, whole_numbers="both") for n in (64, 65)] == ["ordinal", "number"]
    assert [kind(n, 600, whole_numbers="category") for n in (3, 20, 21)] == ["category", "category", "number"]


@pytest.fixture(scope="module")
def months():
    rng = np.random.default_rng(1)
    month = rng.integers(1, 13, 600)
    table = pl.DataFrame({"month": month, "x": rng.normal(size=600), "y": np.where(month == 7, 5.0, month / 4)})
    return vt.TableData.from_df(table, "y", valid_pct=0.1, task="numbers")


def test_an_ordinal_is_a_category_and_a_number(months):
    encoder = months.encoder
    assert list(encoder.categories) == ["month"]
    assert list(encoder.numbers) == ["month", "x"]
    assert months.kinds["month"].kind == "ordinal"
    codes, numbers, drift = encoder.encode(pl.DataFrame({"month": [1, 12, None, 99], "x": [0.0] * 4}))
    assert codes[:, 0].tolist() == [1, 12, 13, 0]
    assert numbers[0, 0] < 0 < numbers[1, 0] < numbers[3, 0] < 3
    assert (drift.unknown, drift.missing, drift.beyond) == ({"month": 1}, {"month": 1}, {"month": 1})
    assert encoder.decode(codes, numbers)["month"].to_list() == [1, 12, None, None]


def test_a_net_of_ordinals_is_asked_saved_and_loaded(months, tmp_path):
    learn = vt.tabular_learner(months, [16], progress=False).fit_one_cycle(20, 1e-2)
    asked = pl.DataFrame({"month": [6, 7, 8], "x": [0.0] * 3})
    assert np.abs(learn.predict(asked) - [1.5, 5, 2]).max() < 1
    assert learn.categories("month") == list(range(1, 13))
    assert "month" in learn.feature_importance(1)["column"].to_list()
    again = vt.load_learner(learn.save(tmp_path / "model"))
    assert again.predict(asked).tolist() == learn.predict(asked).tolist()
    assert again.data.kinds["month"].kind == "ordinal"
    one = vt.load_answers(tmp_path / "model").predict([{"month": 7, "x": 0.0}])["predictions"]
    assert one == pytest.approx(learn.predict(asked[1:2]), rel=1e-5)


def test_categories_alone_are_an_option(months):
    table = pl.DataFrame({"month": [1, 2, 3] * 10, "y": [1.5, 2, 3, 4, 5] * 6})
    data = vt.TableData.from_df(table, "y", whole_numbers="category")
    assert list(data.encoder.numbers) == []
    with pytest.raises(vt.VectableError, match=r"whole_numbers must be one of \['both', 'category'\]; got 'none'"):
        vt.TableData.from_df(table, "y", whole_numbers="none")
