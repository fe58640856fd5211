"""ONNX: what onnxruntime says of a row's raw columns, beside what the learner says, row by row."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from vectable.cli.app import app
from vectable.data.encoders.fill_missing import to_numbers
from vectable.data.tables.table_encoder import TableEncoder
from vectable.exporting.onnx_model import OnnxGraph
from vectable.tables.factorisation import factorisation_learner


def homes(rows: int, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    area, rooms = rng.normal(90, 30, rows), rng.integers(1, 6, rows)
    sold = pl.Series(rng.integers(0, 5000, rows) * 86_400_000_000 + 3_600_000_000).cast(pl.Datetime("us"))
    place = rng.choice(["Köln", "Aachen", "Bonn"], rows)
    value = np.exp(area / 60) + rooms + 2 * (place == "Bonn")
    return pl.DataFrame(
        {
            "area": pl.Series(np.where(rng.random(rows) < 0.1, np.nan, area)).fill_nan(None),
            "rooms": rooms,
            "place": place,
            "sold": sold,
            "value": value,
            "tax": value * 0.1 + rng.normal(size=rows),
            "dear": value > np.median(value),
            "grade": rng.integers(3, 6, rows),
        }
    )


def odd_homes() -> pl.DataFrame:
    """What is not in the training data: other places, missing values, far numbers, days before 1970."""
    return pl.DataFrame(
        {
            "area": [None, 1e12, -5.0, float("inf"), 80.0],
            "rooms": [9, None, 2, 3, -1],
            "place": ["Paris", None, "Köln", "köln", "Bonn"],
            "sold": pl.Series(["1815-06-18", None, "2000-02-29", "2262-12-31", "1969-12-31"]).str.to_datetime(),
        }
    )


def fed(session: Any, frame: pl.DataFrame) -> dict[str, Any]:
    """A frame's columns as the inputs of a session."""
    feeds = {}
    for one in session.get_inputs():
        column = frame[one.name]
        if one.type == "tensor(string)":
            feeds[one.name] = column.cast(pl.String).fill_null("").to_numpy().astype(object)
        elif column.dtype.is_temporal():
            feeds[one.name] = to_numbers(vt.date_parts(column)[f"{one.name}_elapsed"])
        else:
            feeds[one.name] = to_numbers(column)
    return feeds


def answers(path: Path, frame: pl.DataFrame) -> dict[str, Any]:
    session = ort.InferenceSession(path)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, fed(session, frame)), strict=True))


def table(target: Any, **how: Any) -> vt.TableData:
    names = {"cat_names": ["rooms", "place"], "cont_names": ["area"], "date_names": ["sold"]}
    return vt.TableData.from_df(homes(300), target, **{**names, **how})


@pytest.fixture(scope="module")
def classes(tmp_path_factory: Any) -> tuple[vt.TabularLearner, Path]:
    learn = vt.tabular_learner(table("dear", bins="quantile"), layers=[16, 8], ps=[0.1, 0], n_models=2, progress=False)
    learn.fit(1, 0.01)
    return learn, learn.export_onnx(tmp_path_factory.mktemp("onnx") / "classes.onnx")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::vectable.VectableWarning")
def test_classes_of_an_ensemble_with_bins_row_by_row(classes: Any) -> None:
    learn, path = classes
    for frame in (homes(50, 1), odd_homes(), odd_homes().head(1), odd_homes().head(0)):
        found = answers(path, frame)
        assert found["prediction"].tolist() == list(learn.predict(frame))
        assert found["probabilities"].shape == (len(frame), 2)
        assert np.allclose(found["probabilities"], learn.predict_proba(frame), atol=1e-6)
    for at in range(5):  # a row alone says what it says among others
        one = answers(path, odd_homes()[at])["probabilities"][0]
        assert np.allclose(one, learn.predict_proba(odd_homes())[at], atol=1e-6)


def test_the_file_says_what_it_takes_and_gives(classes: Any) -> None:
    learn, path = classes
    about = {one.key: one.value for one in onnx.load(path).metadata_props}
    assert json.loads(about["classes"]) == learn.classes
    assert json.loads(about["columns"]) == {
        "rooms": {"kind": "category", "type": "number", "missing": "NaN"},
        "place": {"kind": "category", "type": "text", "missing": ""},
        "area": {"kind": "number", "type": "number", "missing": "NaN"},
        "sold": {"kind": "date", "type": "seconds since 1970", "missing": "NaN"},
    }
    assert about["target"] == "dear"


@pytest.mark.filterwarnings("ignore::vectable.VectableWarning")
@pytest.mark.parametrize(
    ("target", "how", "net"),
    [
        ("value", {"log_target": True}, {"y_range": (0, 60)}),
        (["value", "tax"], {"cat_names": [], "procs": [vt.Normalize]}, {"preset": "lesson"}),
        ("grade", {"cont_names": [], "date_names": [], "task": "classes"}, {"emb_drop": 0.1}),
    ],
    ids=["log scale and range", "two numbers without categories", "whole numbers as classes without numbers"],
)
def test_every_kind_of_target(target: Any, how: Any, net: Any, tmp_path: Path) -> None:
    learn = vt.tabular_learner(table(target, **how), layers=[8], progress=False, **net)
    learn.fit(1, 0.01)
    path = learn.export_onnx(tmp_path / "m.onnx")
    for frame in (homes(40, 2), odd_homes(), odd_homes().head(1)):
        assert np.allclose(answers(path, frame)["prediction"], learn.predict(frame), rtol=1e-5, atol=1e-5)


def encoded(encoder: TableEncoder, frame: pl.DataFrame) -> list[Any]:
    graph = OnnxGraph()
    codes, numbers = encoder.to_onnx(graph)
    graph.output("/codes", codes, "int32", len(encoder.categories))
    graph.output("/numbers", numbers, "float32", len(encoder.numbers))
    session = ort.InferenceSession(graph.model({}).SerializeToString())
    return session.run(["/codes", "/numbers"], fed(session, frame))


@settings(max_examples=15)
@given(st.lists(st.datetimes() | st.none(), min_size=1))
def test_parts_of_dates_are_those_of_the_table(dates: list[Any]) -> None:
    frame = pl.DataFrame({"day": pl.Series(dates, dtype=pl.Datetime("us"))})
    encoder = TableEncoder({"day": "date"}).fit(frame)
    codes, numbers, _ = encoder.encode(frame)
    found = encoded(encoder, frame)
    assert found[0].tolist() == codes.tolist()
    assert found[1].tolist() == numbers.tolist()


def test_every_day_of_four_centuries() -> None:
    frame = pl.DataFrame({"day": pl.date_range(pl.date(1799, 12, 25), pl.date(2200, 1, 10), eager=True)})
    encoder = TableEncoder({"day": "date"}).fit(frame)
    codes, numbers, _ = encoder.encode(frame)
    found = encoded(encoder, frame)
    assert np.array_equal(found[0], codes)
    assert np.array_equal(found[1], numbers)


def test_categories_of_every_kind() -> None:
    """Whole numbers beyond what a float holds come as text; where "" is a category, missing has another word."""
    frame = pl.DataFrame(
        {
            "id": [2**60, 2**60 + 1, -5, None],
            "empty": pl.Series([None] * 4, dtype=pl.Int64),
            "truth": [True, False, None, True],
            "half": [0.5, 1.0, float("nan"), -2.0],
            "number_part": [1, 2, 3, 4],
        }
    )
    encoder = TableEncoder(dict.fromkeys(frame.columns, "category")).fit(frame)
    codes, _, _ = encoder.encode(frame)
    frame = frame.with_columns(half=pl.Series(["0.5", "1", None, "-2"]))
    assert encoded(encoder, frame)[0].tolist() == codes.tolist()
    spelled = {**{name: frame[name] for name in frame.columns}, "truth": pl.Series(["True", "FALSE", "1", "0"])}
    spelled_frame = pl.DataFrame(spelled)
    truths = encoder.encode(spelled_frame)[0][:, 2].tolist()
    assert truths == encoded(encoder, spelled_frame)[0][:, 2].tolist() == [2, 1, 2, 1]
    blank = pl.DataFrame({"word": ["", "a"]})
    encoder = TableEncoder({"word": "category"}).fit(blank)
    assert encoded(encoder, pl.DataFrame({"word": ["", "a", "<missing>", "b"]}))[0].ravel().tolist() == [1, 2, 3, 0]


def test_ratings_and_modules_of_your_own(ratings_frame: pl.DataFrame, tmp_path: Path) -> None:
    data = vt.RatingsData.from_df(ratings_frame, valid_pct=0)
    learn = vt.collab_learner(data, n_factors=3, progress=False, n_models=2)
    learn.fit(1, 0.01)
    user, item = data.columns.user, data.columns.item
    strange = ratings_frame.select(user, item).with_columns(pl.lit("nobody").alias(user).cast(pl.String)).head(1)
    path = learn.export_onnx(tmp_path / "r.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for frame in (ratings_frame, strange if ratings_frame[user].dtype == pl.String else ratings_frame.head(1)):
            assert np.allclose(answers(path, frame)["prediction"], learn.predict(frame), atol=1e-6)
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    own = vt.Learner(vt.TensorData.from_arrays(x, x[:, 0] > 0), net, torch.nn.CrossEntropyLoss(), progress=False)
    session = ort.InferenceSession(own.export_onnx(tmp_path / "own.onnx"))
    assert np.allclose(session.run(None, {"input": x[:5]})[0], own.predict(x[:5]), atol=1e-6)


def test_a_factorisation_machine_of_users_items_and_numbers(tmp_path: Path) -> None:
    data = vt.TableData.from_df(homes(200), "value", ["place", "rooms"], ["area"])
    learn = factorisation_learner(data, n_factors=3, progress=False)
    learn.fit(1, 0.01)
    found = answers(learn.export_onnx(tmp_path / "f.onnx"), homes(30, 1))
    assert np.allclose(found["prediction"], learn.predict(homes(30, 1)), rtol=1e-5)


class Unruly(torch.nn.Module):
    """It leaves torch on the way, where no graph can follow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.from_numpy(np.sort(x.detach().numpy()))


@pytest.mark.slow
def test_what_cannot_be_exported_is_said_in_a_sentence(classes: Any, tmp_path: Path, monkeypatch: Any) -> None:
    x = np.ones((4, 2), dtype=np.float32)
    own = vt.Learner(vt.TensorData.from_arrays(x, x), Unruly(), progress=False)
    with pytest.raises(vt.VectableError, match="torch cannot write Unruly as ONNX: "):
        own.export_onnx(tmp_path / "own.onnx")
    with pytest.raises(vt.DataError, match="no folder"):
        classes[0].export_onnx(tmp_path / "no" / "m.onnx")
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(vt.VectableError, match=r"pip install 'vectable\[export\]'"):
        classes[0].export_onnx(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_file_and_says_what_goes_in(classes: Any, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    learn, path = classes
    learn.save(tmp_path / "model")
    done = CliRunner().invoke(app, ["export", str(tmp_path / "model"), "--onnx", str(tmp_path / "m.onnx")])
    assert done.exit_code == 0, done.output
    assert "sold" in done.output
    assert "probabilities" in done.output
    frame = homes(10, 3)
    assert np.array_equal(answers(tmp_path / "m.onnx", frame)["probabilities"], answers(path, frame)["probabilities"])
