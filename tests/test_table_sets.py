"""The tables that come with the package: what is in them, how they are split, and what becomes of them."""

import polars as pl
import pytest

import vectable as vt
from vectable.data.sets import catalogue
from vectable.data.sets.table_sets import TableInfo


@pytest.fixture(scope="module")
def adult():
    return vt.datasets.load("adult")


@pytest.fixture(scope="module")
def flights():
    return vt.datasets.load("flights")


@pytest.mark.parametrize("name", ["adult", "flights"])
def test_a_table_is_what_its_info_says(name):
    known, loaded = catalogue.info(name), vt.datasets.load(name, download=False)
    assert isinstance(known, TableInfo)
    assert loaded.table.drop(loaded.split or []).shape == (known.rows, known.columns)
    assert loaded.target in loaded.table.columns
    assert (loaded.licence, loaded.source) == (known.licence, known.source)
    assert {one.base_type() for one in loaded.table.dtypes} <= {pl.Int64, pl.String, pl.Enum}
    assert f"{known.rows:,} rows" in repr(loaded)


def test_adult_comes_in_its_official_split(adult):
    assert (len(adult.train), len(adult.test)) == (32_561, 16_281)
    assert "split" not in adult.train.columns
    assert (adult.train["salary"] == ">50K").sum() == 7_841
    assert (adult.test["salary"] == ">50K").sum() == 3_846
    assert adult.train.null_count().row(0, named=True)["occupation"] == 1_843
    first = adult.train.row(0, named=True)
    assert (first["age"], first["workclass"], first["capital-gain"]) == (39, "State-gov", 2_174)
    assert adult.test["age"][0] == 25


def test_adult_is_the_file_of_its_authors(adult, data_dir):
    if not (data_dir / "adult" / "adult.data").is_file():
        pytest.skip(f"needs the original: there is no {data_dir / 'adult' / 'adult.data'}")
    for file, rows in (("adult.data", adult.train), ("adult.test", adult.test)):
        lines = (data_dir / "adult" / file).read_text().splitlines()
        wanted = [line.rstrip(".") for line in lines if line and not line.startswith("|")]
        found = [", ".join("?" if value is None else str(value) for value in row) for row in rows.iter_rows()]
        assert found == wanted


def test_test_rows_never_train(adult):
    data = adult.to_data(valid_pct=0.1)
    assert len(data.train_rows) + len(data.valid_rows) == 32_561
    assert (len(data.encoder.categories), data.target.name) == (8 + 1, "salary")  # education-num has 16 values
    assert len(adult.to_data(target="age", valid_pct=0).train_rows) == 32_561


def test_flights_know_their_airports(flights):
    assert list(flights.tables) == ["flights", "airports", "airlines"]
    assert flights.test.is_empty()
    airports, airlines = flights.more["airports"], flights.more["airlines"]
    assert set(flights.table["dest"]) - set(airports["faa"]) == {"BQN", "PSE", "SJU", "STT"}
    assert set(flights.table["origin"]) == {"EWR", "JFK", "LGA"}
    assert set(flights.table["carrier"]) == set(airlines["carrier"])
    assert flights.table["distance"].n_unique() > 200
    by_day = flights.table.filter(pl.col("month") == 1, pl.col("day") == 1)["weekday"].unique().to_list()
    assert by_day == ["Tue"]
    pairs = flights.table.select("origin", "dest", "distance").unique()
    assert len(pairs) == len(pairs.select("origin", "dest").unique()) + 2  # two routes have two distances


def test_flights_are_predicted_from_where_when_and_who(flights):
    data = flights.to_data(valid_rows=range(130_000, 140_000))
    assert list(data.encoder.categories) == ["origin", "dest", "carrier", "month", "weekday", "hour"]
    assert len(data.encoder.numbers) == 0
    assert data.target.name == "air_time"
    assert data.encoder.categories["weekday"].vocabulary.to_list() == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    late = flights.to_data("arr_delay", valid_pct=0.5)
    assert late.target.name == "arr_delay"
    assert "distance" not in late.kinds
    carrier = flights.without(["month", "distance"]).to_data("carrier", valid_pct=0.5)
    assert list(carrier.encoder.categories) == ["origin", "dest", "weekday", "hour"]
    assert flights.without(["month"]).table.columns == [name for name in flights.table.columns if name != "month"]
