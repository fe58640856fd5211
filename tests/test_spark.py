"""Scoring on Spark, in two workers on this machine: the rows and figures of one process."""

import os
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, sentence, vectable
from vectable.scoring import Scorer, score_files

pytest.importorskip("pyspark", reason="pyspark is not installed")


def java_works():
    program = (
        os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else shutil.which("java")
    )
    return (
        program is not None and subprocess.run([program, "-version"], capture_output=True, check=False).returncode == 0
    )


needs_java = pytest.mark.skipif(not java_works(), reason="there is no Java, which Spark runs on")


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    quiet = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in quiet.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def pairs(n_rows=900, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "user": [f"u{n}" for n in rng.integers(0, 50, n_rows)],
            "item": rng.integers(0, 30, n_rows),
            "rating": rng.integers(1, 6, n_rows).astype(np.float64),
        }
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Serving folders of a model of ratings, of interactions, and of tables of classes and of numbers."""
    folder, frame = tmp_path_factory.mktemp("models"), pairs()
    learn = vt.collab_learner(vt.RatingsData.from_df(frame), 4, progress=False)
    learn.fit_one_cycle(1).save(folder / "ratings", serving=True)
    data = vt.InteractionsData.from_df(frame, "user", "item")
    vt.implicit_learner(data, "ease", progress=False).fit().save(folder / "lists", serving=True)
    rows = frame.with_columns(kind=pl.when(pl.col("item") > 12).then(pl.lit("high")).otherwise(pl.lit("low")))
    for name, target in (("classes", "kind"), ("numbers", "rating")):
        table = vt.TableData.from_df(rows.select("user", "item", target), target=target)
        vt.tabular_learner(table, progress=False).fit_one_cycle(1).save(folder / name, serving=True)
    return folder


def test_a_scorer_renames_keeps_and_refuses(folders):
    frame = pairs(60, seed=1).rename({"user": "who"})
    scorer = Scorer(str(folders / "ratings"), {"user": "who"}, ("who",))
    scored = scorer.score(frame)
    assert scored.columns == ["who", "prediction"]
    learn = vt.load_learner(folders / "ratings")
    assert (scored["prediction"].to_numpy() == learn.predict(frame.rename({"who": "user"}))).all()
    with pytest.raises(vt.DataError, match="'wo'"):
        Scorer("model", {"user": "wo"}).check(frame.columns)
    with pytest.raises(vt.DataError, match="its name is given to 'who'"):
        Scorer("model", {"item": "who"}).check(frame.columns)
    with pytest.raises(vt.DataError, match="'prediction' already"):
        Scorer(str(folders / "ratings")).score(pairs(5).with_columns(prediction=1))


def test_files_are_scored_in_blocks(folders, tmp_path):
    frame = pairs(300, seed=2)
    for at in range(2):
        frame[at * 150 : at * 150 + 150].write_parquet(tmp_path / f"{at}.parquet")
    out = score_files(folders / "ratings", tmp_path / "*.parquet", tmp_path / "scored")
    expected = Scorer(str(folders / "ratings")).score(frame)
    assert pl.read_parquet(sorted(out.glob("*.parquet"))).equals(expected)
    with pytest.raises(vt.VectableError, match="exists already"):
        score_files(folders / "ratings", tmp_path / "*.parquet", tmp_path / "scored")


@needs_java
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ratings", "classes", "numbers", "lists"])
def test_rows_and_types_are_those_of_one_process(kind, folders, spark, tmp_path):
    from vectable.spark import score

    frame = pairs(700, seed=3) if kind != "lists" else pairs().select("user").unique(maintain_order=True)
    frame = frame.drop("rating", strict=False).with_row_index("row").cast({"row": pl.Int64})
    frame.write_parquet(tmp_path / "rows.parquet")
    given = spark.read.parquet(str(tmp_path / "rows.parquet")).repartition(2)
    scored = score(given.withColumnRenamed("user", "who"), folders / kind, columns={"user": "who"}, n=3)
    found = pl.from_arrow(scored.toArrow())
    expected = Scorer(str(folders / kind), {"user": "who"}, None, 3).score(frame.rename({"user": "who"}))
    order = ["who", "rank"] if kind == "lists" else ["row"]
    assert found.columns == expected.columns
    assert [str(one) for one in found.dtypes] == [str(one) for one in expected.dtypes]
    found, expected = found.sort(order), expected.sort(order)
    for name in expected.columns:
        if expected[name].dtype.is_float():
            np.testing.assert_allclose(found[name].to_numpy(), expected[name].to_numpy(), rtol=0, atol=1e-6)
        else:
            assert found[name].to_list() == expected[name].to_list()


@needs_java
@pytest.mark.slow
def test_the_command_scores_on_spark(folders, tmp_path):
    frame = pairs(200, seed=4)
    frame.write_parquet(tmp_path / "rows.parquet")
    options = ["--spark", "--master", "local[2]", "--keep", "user,item", "-o", tmp_path / "scored"]
    variables = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    good(vectable("score", folders / "ratings", tmp_path / "rows.parquet", *options, env=variables, timeout=240))
    found = pl.read_parquet(tmp_path / "scored" / "*.parquet")
    assert found.columns == ["user", "item", "prediction"]
    expected = Scorer(str(folders / "ratings"), {}, ("user", "item")).score(frame)
    assert found.sort("user", "item", "prediction").equals(expected.sort("user", "item", "prediction"))


@pytest.mark.slow
def test_the_command_scores_in_one_process(folders, tmp_path):
    pairs(50).write_parquet(tmp_path / "rows.parquet")
    how = [folders / "ratings", tmp_path / "rows.parquet", "-o", tmp_path / "scored"]
    good(vectable("score", *how))
    assert pl.read_parquet(tmp_path / "scored" / "*.parquet").width == 4
    assert "--master belongs to --spark" in sentence(vectable("score", *how, "--master", "local"))
    assert "NAME=OTHER" in sentence(vectable("score", *how, "--column", "user"))
