"""Tables: encoders by themselves, and the learner that puts them to work."""

import datetime as dt
import warnings
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import vectable as vt
from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.weighted import weighted_mean_std, weighted_mode, weighted_quantile
from vectable.data.tables.table_encoder import TableEncoder
from vectable.models.ensemble import Ensemble
from vectable.models.layers import BatchNorm, sigmoid_range
from vectable.models.losses import compute_loss


def people(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """Well paid are the older ones of two trades; some ages are missing."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, rows).round(1)
    trade = rng.choice(["smith", "clerk", "pilot", "baker"], rows)
    rich = (age + 12 * np.isin(trade, ["pilot", "smith"]) + rng.normal(0, 4, rows)) > 46
    holes = rng.random(rows) < 0.05
    return pl.DataFrame(
        {
            "age": pl.Series(np.where(holes, np.nan, age)).fill_nan(None),
            "trade": trade,
            "since": pl.Series(rng.integers(0, 3000, rows)).cast(pl.Date),
            "pay": np.where(rich, "high", "low"),
            "sum": np.exp(age / 20) + rich,
        }
    )


@pytest.fixture(scope="module")
def learn() -> vt.TabularLearner:
    data = vt.TableData.from_df(people(), "pay", ["trade"], ["age"], ["since"], batch_size=64)
    return vt.tabular_learner(data, layers=[32], progress=False).fit_one_cycle(8, 0.01)  # type: ignore[return-value]


# ---------------------------------------------------------------- encoders


def test_weighted_statistics_equal_repetition() -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.integers(0, 9, 30).astype(float), rng.integers(1, 5, 30)
    repeated = np.repeat(values, weights)
    weights = weights.astype(float)
    assert weighted_quantile(values, 0.5, weights) == np.median(repeated)
    assert weighted_mode(values, weights) == pd.Series(repeated).mode()[0]
    assert weighted_mean_std(values, weights, 1) == pytest.approx((repeated.mean(), repeated.std(ddof=1)))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.floats(0, 1), st.integers(0, 1))
def test_no_weights_are_weights_of_one_to_the_bit(values: list[int], share: float, ddof: int) -> None:
    column, ones = np.array(values) / 7, np.ones(len(values))
    assert weighted_quantile(column, share) == weighted_quantile(column, share, ones)
    assert weighted_mean_std(column, None, ddof) == weighted_mean_std(column, ones, ddof)


def test_filling_and_normalising_by_the_lessons_rules() -> None:
    column = pl.Series([1.0, None, 3.0, 8.0])
    fill = vt.FillMissing().fit(column)
    assert (fill.fill, fill.had_missing) == (3.0, True)
    assert fill.encode(column).tolist() == [1, 3, 3, 8]
    assert vt.FillMissing("most_common").fit(pl.Series([2, 2, None, 5])).fill == 2
    assert vt.FillMissing("constant", -1).fit(column).encode(column)[1] == -1
    values = np.array([1.0, 2.0, 6.0])
    for ddof in (0, 1):
        scale = vt.Normalize(ddof).fit(values)
        assert scale.encode(values) == pytest.approx((values - 3) / (1e-7 + values.std(ddof=ddof)), rel=1e-6)
        again = vt.Normalize.from_json(scale.to_json())
        assert again.decode(scale.encode(values)) == pytest.approx(values, rel=1e-6)


def test_missing_categories_have_the_last_code_and_orders_are_kept() -> None:
    encoder = vt.Categorify(missing_slot=True).fit(pl.Series(["b", None, "a"]))
    assert encoder.encode(pl.Series(["a", "b", None, "z"])).tolist() == [1, 2, 3, 0]
    assert [encoder.encode_one(value) for value in ("a", None, "z")] == [1, 3, 0]
    assert len(encoder) == 4
    sizes = pl.Series(["L", "S", "M"], dtype=pl.Enum(["S", "M", "L"]))
    assert vt.Categorify().fit(sizes).vocabulary.to_list() == ["S", "M", "L"]


@pytest.mark.parametrize("how", ["quantile", "tree"])
def test_bins_reach_as_far_as_the_value(how: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=500)
    bins = vt.PiecewiseLinearBins(how, n_bins=8, min_leaf=20).fit(values, (values > 0.3).astype(int))
    encoded = bins.encode(values)
    assert 2 <= len(bins.borders) <= 9
    assert ((encoded >= 0) & (encoded <= 1)).all()
    assert bins.decode(encoded) == pytest.approx(values, abs=1e-5)
    if how == "tree":
        assert np.abs(bins.borders - 0.3).min() < 0.02
    else:
        counts = np.histogram(values, bins.borders)[0]
        assert counts.max() - counts.min() <= 2
    again = vt.PiecewiseLinearBins.from_json(bins.to_json())
    assert np.array_equal(again.encode(values), encoded)
    constant = vt.PiecewiseLinearBins("quantile").fit(np.ones(5))
    assert constant.encode(np.ones(5)).shape == (5, 0)
    assert constant.decode(constant.encode(np.ones(5))).tolist() == [1] * 5


def test_date_parts_equal_pandas_for_every_kind_of_date() -> None:
    dates = pd.date_range("2019-12-27", periods=800, freq="11h")
    columns = [
        pl.Series("d", dates.to_numpy().astype("datetime64[us]")),
        pl.Series("d", dates.strftime("%Y-%m-%d %H:%M:%S").to_list()),
        pl.Series("d", dates.to_numpy().astype("datetime64[ms]")),
    ]
    for column in columns:
        parts = vt.date_parts(column)
        for name, expected in {
            "year": dates.year,
            "month": dates.month,
            "week": dates.isocalendar().week,
            "day": dates.day,
            "weekday": dates.day_of_week,
            "day_of_year": dates.day_of_year,
            "is_month_end": dates.is_month_end,
            "is_quarter_start": dates.is_quarter_start,
            "is_year_end": dates.is_year_end,
            "elapsed": (dates - pd.Timestamp(0)).total_seconds(),
        }.items():
            assert parts[f"d_{name}"].to_list() == list(np.asarray(expected, dtype=float)), name
    with pytest.raises(vt.DataError, match=r"row 2 of column 'd' is '31\.02\.2020'"):
        vt.date_parts(pl.Series("d", ["2020-01-31", "31.02.2020"]))


def test_days_since_and_until_an_event_by_group() -> None:
    frame = pd.DataFrame(
        {
            "shop": [1, 1, 1, 2, 1],
            "day": pd.to_datetime(["2020-01-01", "2020-01-03", "2020-01-07", "2020-01-02", "2020-01-05"]),
        }
    )
    frame["promo"] = [0, 1, 0, 0, 0]
    answer = vt.elapsed_to_event(frame, "promo", "day", "shop")
    assert isinstance(answer, pd.DataFrame)
    assert answer["promo_since"].fillna(-1).tolist() == [-1, 0, 4, -1, 2]
    assert answer["promo_until"].fillna(-1).tolist() == [2, 0, -1, -1, -1]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pl.Series([1.5, 2.0]), "number"),
        (pl.Series(range(21)), "number"),
        (pl.Series(range(20)), "category"),
        (pl.Series(["a", "b"]), "category"),
        (pl.Series([True, False]), "category"),
        (pl.Series([1, 2]).cast(pl.Date), "date"),
        (pl.Series([[1], [2]]), "unusable"),
        (pl.Series([None, None]), "unusable"),
    ],
    ids=str,
)
def test_the_rule_of_kinds(values: pl.Series, kind: str) -> None:
    assert kind_of(values).kind == kind


# ---------------------------------------------------------------- the learner


def test_batch_norm_forgets_its_start_at_once_and_then_is_torchs() -> None:
    batches = torch.randn(40, 8, 3) * torch.tensor([1e-3, 1.0, 50.0]) + torch.tensor([0.0, 2.0, -9.0])
    ours, theirs = BatchNorm(3), torch.nn.BatchNorm1d(3)
    for at, batch in enumerate(batches):
        assert torch.equal(ours(batch), theirs(batch))
        if at < 10:
            seen = batches[: at + 1]
            assert torch.allclose(ours.running_mean, seen.mean(dim=(0, 1)), atol=1e-5)
            assert torch.allclose(ours.running_var, seen.var(dim=1).mean(dim=0), rtol=1e-4)
            theirs.load_state_dict(ours.state_dict())
    assert torch.allclose(ours.running_var, theirs.running_var, rtol=1e-5)


def test_few_steps_are_enough_where_inputs_vary_little() -> None:
    letters = np.tile(["x", "y", "z"], 60)
    for seed in range(3):
        model = vt.TabularClassifier(layers=(16,), n_epochs=30, lr=3e-2, random_state=seed)
        assert model.fit(pl.DataFrame({"a": letters}), letters).score(pl.DataFrame({"a": letters}), letters) == 1


@pytest.mark.parametrize(
    ("values", "how"),
    [
        ([True, False], {}),
        ([dt.date(2024, 2, 1), dt.date(2024, 1, 1)], {}),
        ([dt.datetime(2024, 2, 1, 3), dt.datetime(2024, 1, 1)], {}),
        ([0.25, -0.5], {"task": "classes"}),
        ([Decimal("1.50"), Decimal("0.25")], {"task": "classes"}),
        ([2**63 - 1, 3], {}),
        (["2", "10"], {}),
    ],
    ids=str,
)
def test_classes_come_back_as_the_target_had_them(values: list[Any], how: dict[str, Any], tmp_path: Any) -> None:
    frame = pl.DataFrame({"a": ["x", "y"] * 60, "t": pl.Series(values * 60)})
    learn = vt.tabular_learner(
        vt.TableData.from_df(frame, "t", valid_pct=0.0, batch_size=20, **how), [16], progress=False
    )
    learn.fit_one_cycle(10, 3e-2)
    assert learn.predict(frame).tolist() == frame["t"].to_list()
    assert learn.predict({"a": "x"}) == values[0]
    assert learn.classes == sorted(values)
    assert learn.data.decode(learn.data.train_rows)["t"].to_list() == frame["t"].to_list()
    again = vt.load_learner(learn.save(tmp_path / "m"))
    assert again.classes == learn.classes
    assert again.predict(frame).dtype == learn.predict(frame).dtype
    weighted = vt.TableData.from_df(frame, "t", valid_pct=0.0, class_weight={values[1]: 3}, **how).train_rows
    assert weighted.weights.tolist() == [1, 3] * 60  # type: ignore[union-attr]


def test_it_learns_and_explains(learn: vt.TabularLearner) -> None:
    assert learn.validate()["accuracy"] > 0.8
    assert learn.feature_importance()["column"][0] in ("age", "trade")
    assert learn.weight("trade").shape == (4, learn.model.embeddings[0].embedding_dim)
    assert learn.categories("trade") == ["baker", "clerk", "pilot", "smith"]
    assert len(learn.top_losses(5)) == 5
    assert learn.top_losses(5)["loss"].is_sorted(descending=True)
    matrix = learn.confusion_matrix()
    assert matrix.select("high", "low").to_numpy().sum() == len(learn.data.valid_rows)
    assert len(learn.embedding_map("trade").axes[0].texts) == 4
    with pytest.raises(vt.UnknownNameError, match="trade"):
        learn.weight("trades")
    assert [type(layer).__name__ for layer in learn.model.layers] == ["Linear", "ReLU", "BatchNorm", "Linear"]
    assert set(learn.data.summary()["kind"]) == {"category", "number", "date", "target"}


def test_predicting_never_fails(learn: vt.TabularLearner) -> None:
    odd = pl.DataFrame(
        {
            "extra": [0, 0, 0],
            "trade": ["juggler", None, "pilot"],
            "since": ["2001-01-01", None, "1970-05-05"],
            "age": [50, None, 3_000_000],
        }
    )
    with pytest.warns(vt.VectableWarning, match=r"Of 3 rows, .*1 in 'trade'"):
        predicted = learn.predict(odd)
    assert set(predicted) <= {"high", "low"}
    assert len(learn.predict(odd.head(0))) == 0
    assert learn.drift(odd).unknown["trade"] == 1
    assert learn.drift(odd).beyond["age"] == 1
    with pytest.raises(vt.DataError, match="no column 'age'"):
        learn.predict(odd.drop("age"))


def test_a_dict_and_every_frame_give_the_same_probabilities(learn: vt.TabularLearner) -> None:
    frame = people(40, seed=5)
    expected = learn.predict_proba(frame)
    assert np.allclose(expected.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(learn.predict_proba(frame.to_pandas()), expected, atol=1e-6)
    assert np.allclose(learn.predict_proba(frame.to_arrow()), expected, atol=1e-6)
    for at in range(0, 40, 7):
        assert np.allclose(learn.predict_proba(frame.row(at, named=True)), expected[at], atol=1e-6)
    assert learn.predict(frame.row(0, named=True)) == learn.predict(frame)[0]


def test_saved_and_loaded_it_predicts_bit_for_bit_and_goes_on(learn: vt.TabularLearner, tmp_path: Any) -> None:
    data = vt.TableData.from_df(people(), "pay", ["trade"], ["age"], batch_size=64, bins="quantile")
    one = vt.tabular_learner(data, layers=[16], ps=[0.1], progress=False, n_models=2)
    one.fit(1, 0.01)
    one.save(tmp_path / "m")
    two = vt.load_learner(tmp_path / "m", progress=False)
    assert np.array_equal(one.predict_proba(people(50, 1)), two.predict_proba(people(50, 1)))
    one.fit(1, 0.01)
    two.fit(1, 0.01)
    assert np.array_equal(one.predict_proba(people(50, 1)), two.predict_proba(people(50, 1)))


def test_an_ensembles_probabilities_are_the_mean() -> None:
    members = [torch.nn.Linear(3, 4) for _ in range(3)]
    x = torch.randn(5, 3)
    expected = torch.stack([one(x).softmax(1) for one in members]).mean(0)
    assert torch.allclose(Ensemble(members, logits=True)(x).softmax(1), expected, atol=1e-6)


def test_masking_trains_the_unknown_and_the_missing() -> None:
    for masking, moves in ((0.2, True), (0.0, False)):
        data = vt.TableData.from_df(people(), "pay", ["trade"], [], batch_size=64)
        one = vt.tabular_learner(data, layers=[8], masking=masking, wd=0.0, progress=False)
        before = one.model.embeddings[0].weight.detach().clone()
        one.fit(1, 0.01)
        moved = (one.model.embeddings[0].weight.detach() - before).abs().sum(dim=1) > 0
        assert moved[[0, -1]].tolist() == [moves, moves]


def test_weights_of_rows_mean_repetition_in_the_loss() -> None:
    outputs, target = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    weights = torch.tensor([1.0, 3.0, 2.0, 0.0])
    repeated = torch.repeat_interleave(torch.arange(4), weights.long())
    loss = torch.nn.CrossEntropyLoss()
    assert compute_loss(loss, outputs, target, weights).item() == pytest.approx(
        loss(outputs[repeated], target[repeated]).item(), rel=1e-6
    )
    data = vt.TableData.from_df(people(), "pay", ["trade"], ["age"], class_weight={"high": 3.0}, valid_pct=0)
    assert set(data.train_rows.weights.tolist()) == {1.0, 3.0}  # type: ignore[union-attr]
    balanced = vt.TableData.from_df(
        people(), "pay", ["trade"], ["age"], class_weight="balanced", valid_pct=0
    ).train_rows
    sums = np.bincount(balanced.target, balanced.weights)
    assert sums[0] == pytest.approx(sums[1], rel=1e-4)


def test_numbers_on_a_log_scale_several_at_once_and_bounded() -> None:
    frame = people()
    data = vt.TableData.from_df(frame, "sum", ["trade"], ["age"], log_target=True, batch_size=64)
    one = vt.tabular_learner(data, layers=[32], y_range=(0, 60), progress=False)
    one.fit_one_cycle(15, 0.02)
    predicted, actual = one.predict(frame), frame["sum"].to_numpy()
    assert np.corrcoef(predicted, actual)[0, 1] > 0.9
    assert (predicted > 0).all()
    assert (predicted < 60).all()
    both = vt.TableData.from_df(frame.with_columns(double=pl.col("sum") * 2), ["sum", "double"], ["trade"], ["age"])
    pair = vt.tabular_learner(both, layers=[16], progress=False)
    pair.fit(1, 0.01)
    assert pair.predict(frame).shape == (600, 2)


def test_metrics_of_numbers_are_in_the_targets_own_units() -> None:
    frame = people()
    for log in (False, True):
        data = vt.TableData.from_df(frame, "sum", ["trade"], ["age"], log_target=log)
        learn = vt.tabular_learner(data, layers=[8], progress=False)
        learn.fit(1, 0.01)
        errors = learn.predict(data.valid_frame) - data.valid_frame["sum"].to_numpy()
        measured = learn.validate()
        assert measured["rmse"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-4)
        assert measured["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
        assert learn.recorder.to_frame()["rmse"][-1] == pytest.approx(measured["rmse"])


def test_a_net_with_a_range_begins_at_the_mean_and_not_in_the_middle() -> None:
    frame = people()
    data = vt.TableData.from_df(frame, "sum", ["trade"], ["age"], log_target=True, valid_pct=0)
    for learn in (
        vt.tabular_learner(data, y_range=(0, 1e6), progress=False),
        vt.tabular_learner(data, y_range=(0, 1e6), progress=False, preset="lesson"),
    ):
        last = learn.model.layers[-1]
        begins = data.target.decode(sigmoid_range(last.bias.detach(), *learn.model.y_range).numpy())[0]
        mean = np.expm1(np.log1p(frame["sum"].to_numpy()).mean())
        assert (begins == pytest.approx(mean, rel=1e-3)) == (learn.preset.name == "modern")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.with_columns(pay=pl.lit("low")), "one class, 'low'"),
        (
            lambda f: f.with_columns(pay=pl.when(pl.col("pay") == "low").then(pl.col("pay"))),
            r"target in row \d+ .* is missing",
        ),
        (lambda f: f.drop("pay"), "no column 'pay'"),
        (lambda f: f.head(0), "no rows"),
        (lambda f: f.select("pay"), "no column to learn from"),
    ],
)
def test_tables_that_cannot_be_learned_from(change: Any, told: str) -> None:
    with pytest.raises(vt.DataError, match=told):
        vt.TableData.from_df(change(people(50)), "pay")


def test_unusable_columns_are_left_out_and_infinite_numbers_are_holes() -> None:
    frame = people(50).with_columns(
        lists=pl.Series([[1]] * 50), empty=pl.Series([None] * 50), wide=pl.Series([np.inf] + [1.5, 2.5] * 24 + [3.5])
    )
    with pytest.warns(vt.VectableWarning, match=r"2 columns cannot be learned from and are left out: 'lists'.*'empty'"):
        data = vt.TableData.from_df(frame, "pay", batch_size=16)
    assert "wide" in data.encoder.numbers
    assert np.isfinite(data.train_rows.numbers).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(TableEncoder.from_json(data.encoder.to_json()), TableEncoder)


def test_classes_seen_only_in_validation_are_told() -> None:
    frame = people(60).with_columns(pay=pl.when(pl.int_range(60) == 59).then(pl.lit("odd")).otherwise("pay"))
    with pytest.warns(vt.VectableWarning, match="1 validation row has a class that no training row has"):
        data = vt.TableData.from_df(frame, "pay", ["trade"], ["age"], valid_rows=[0, 59])
    assert len(data.valid_rows) == 1
